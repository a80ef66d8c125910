"""Home Assistant's documented schema of MQTT discovery, as far as sensors and images go."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_TOPIC = re.compile(r"homeassistant/([a-z_]+)/([a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")
_TEXT, _FLAG, _NUMBER = (str,), (bool,), (int,)
_ANY_ENTITY: dict[str, tuple[type, ...]] = {
    "availability_topic": _TEXT, "payload_available": _TEXT, "payload_not_available": _TEXT, "device": (dict,),
    "origin": (dict,), "icon": _TEXT, "name": _TEXT, "unique_id": _TEXT, "json_attributes_topic": _TEXT,
    "enabled_by_default": _FLAG, "encoding": _TEXT, "entity_category": _TEXT,
}  # fmt: skip
_COMPONENTS: dict[str, tuple[dict[str, tuple[type, ...]], set[str]]] = {
    "sensor": (
        {
            **_ANY_ENTITY, "state_topic": _TEXT, "value_template": _TEXT, "unit_of_measurement": _TEXT,
            "state_class": _TEXT, "device_class": _TEXT, "expire_after": _NUMBER, "force_update": _FLAG, "qos": _NUMBER,
        },
        {"state_topic"},
    ),
    "image": ({**_ANY_ENTITY, "image_topic": _TEXT, "content_type": _TEXT, "image_encoding": _TEXT}, {"image_topic"}),
}  # fmt: skip
_DEVICE = {"configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "name",
           "serial_number", "suggested_area", "sw_version", "via_device"}  # fmt: skip
_ORIGIN = {"name", "sw_version", "support_url"}


def check_discovery(kept: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The configurations among the topics; raises where Home Assistant would refuse or ignore something of them."""
    found = {topic: json.loads(payload) for topic, payload in kept.items() if topic.startswith("homeassistant/")}
    for topic, config in found.items():
        named = _TOPIC.fullmatch(topic)
        assert named, topic
        known, required = _COMPONENTS[named[1]]
        for key, value in config.items():
            assert isinstance(value, known[key]), f"{topic}: {key}"
        assert required <= config.keys(), topic
        for key in config:
            if key.endswith("_topic"):
                assert config[key], topic
                assert not set("+#\0") & set(config[key]), f"{topic}: {config[key]}"
        assert config["unique_id"], topic  # a device needs it
        assert config["device"].keys() <= _DEVICE, topic
        assert config["device"].get("identifiers") or config["device"].get("connections"), topic
        assert config["origin"]["name"], topic
        assert config["origin"].keys() <= _ORIGIN, topic
        assert config.get("state_class", "measurement") in {"measurement", "total", "total_increasing"}, topic
    ids = [config["unique_id"] for config in found.values()]
    assert len(ids) == len(set(ids))
    return found
