"""Pictures of graphs, and the chain rule in words."""
