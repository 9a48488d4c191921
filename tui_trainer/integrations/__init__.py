"""Callbacks for frameworks that bring a training loop of their own. Each module imports its framework, and no other."""
