"""Home Assistant's MQTT discovery: what it is told so that it makes sensors by itself.

Topics are ``PREFIX/COMPONENT/NODE/OBJECT/config``; keys are those of its documentation of the MQTT sensor and image.
"""

from __future__ import annotations

import json
from typing import Any

from knownface import __version__
from knownface.mqtt.messages import (
    OFFLINE,
    ONLINE,
    Message,
    availability_topic,
    camera_key,
    camera_topic,
    person_topic,
    picture_topic,
)


def person_sensor(prefix: str, name: str, person_id: int, person: str) -> Message:
    """A sensor that says where somebody is."""
    topic = person_topic(name, person_id)
    return _config(prefix, name, "sensor", f"person_{person_id}", _sensor(topic, person, "mdi:face-recognition"))


def person_image(prefix: str, name: str, person_id: int, person: str) -> Message:
    """An image that shows somebody as last seen."""
    own = {"name": person, "image_topic": picture_topic(name, person_id), "content_type": "image/jpeg"}
    return _config(prefix, name, "image", f"person_{person_id}_picture", own)


def camera_sensor(prefix: str, name: str, source: str) -> Message:
    """A sensor that says how many people are in front of a source; its attributes name them."""
    topic = camera_topic(name, source)
    own = _sensor(topic, source, "mdi:cctv") | {"unit_of_measurement": "people", "state_class": "measurement"}
    return _config(prefix, name, "sensor", f"camera_{camera_key(source)}", own)


def config_pattern(prefix: str, name: str) -> str:
    """What to subscribe to for all that was announced."""
    return f"{prefix}/+/{name}/+/config"


def _sensor(topic: str, title: str, icon: str) -> dict[str, Any]:
    return {
        "name": title,
        "icon": icon,
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topic,
    }


def _config(prefix: str, name: str, component: str, object_id: str, own: dict[str, Any]) -> Message:
    facts = {
        **own,
        "unique_id": f"{name}_{object_id}",
        "availability_topic": availability_topic(name),
        "payload_available": ONLINE.decode(),
        "payload_not_available": OFFLINE.decode(),
        "device": {
            "identifiers": [f"knownface_{name}"],
            "name": name,
            "manufacturer": "knownface",
            "model": "face recognition",
            "sw_version": __version__,
        },
        "origin": {"name": "knownface", "sw_version": __version__},
    }
    topic = f"{prefix}/{component}/{name}/{object_id}/config"
    return Message(topic, json.dumps(facts, ensure_ascii=False).encode(), retain=True)
