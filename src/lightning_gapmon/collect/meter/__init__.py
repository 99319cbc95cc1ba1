"""Sums of losses off the device, without a wait for it."""
