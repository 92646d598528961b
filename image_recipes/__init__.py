"""Image recipes: image in, class or number out, as a DVC pipeline of Keras models."""
