"""How fast Holdfast is, beside a floor, a limit and a rival: every figure is a ratio measured side by side."""
