"""What is seen, to an MQTT broker: sightings, alerts, attendance, who is where, and Home Assistant's discovery."""

from knownface.mqtt.delivery import MqttDelivery, delivering

__all__ = ["MqttDelivery", "delivering"]
