"""An LR range test on the screen: its curve as it is made, and what it suggests."""
