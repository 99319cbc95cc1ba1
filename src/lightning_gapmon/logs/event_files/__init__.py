"""TensorBoard's event files: their records, checked, and the scalars in them."""
