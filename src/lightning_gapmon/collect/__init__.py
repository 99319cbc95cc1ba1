"""Numbers off the device, without a wait in a step."""
