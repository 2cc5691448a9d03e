"""Pictures of nets, laid out and drawn without Graphviz: SVG, PNG, and boxes of text."""
