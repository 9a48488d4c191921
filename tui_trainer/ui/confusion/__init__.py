"""What the network confuses, and the images that it was most wrong about."""
