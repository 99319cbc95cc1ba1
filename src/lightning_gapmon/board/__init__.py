"""What is written for TensorBoard and read back from it, without torch."""
