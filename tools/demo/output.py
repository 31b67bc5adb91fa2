"""What the stack tells on the terminal."""

from typing import Any

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def say(text: str, *, style: str | None = None) -> None:
    """Tell a line."""
    console.print(text, style=style, markup=False)


def complain(text: str) -> None:
    """Tell what went wrong."""
    say(text, style="red")


def tell_where(demo: dict[str, Any]) -> None:
    """Tell where everything is, with the login of the demo."""
    say("")
    say("Holdfast is up.", style="bold green")
    rows = {
        "API docs": f"{demo['base_url']}/api/v1/docs",
        "API key": demo["api_key"],
        "Admin": demo["admin_url"],
        "Login": f"{demo['admin_user']} / {demo['admin_password']}",
        "Sandbox": f"{demo['sandbox_url']}/_sandbox/state",
        "More": ".data/demo.json, .data/logs/",
    }
    for name, value in rows.items():
        console.print(f"  [bold]{name:<9}[/bold]", end="")
        say(str(value))
    say("Ctrl-C stops it.", style="dim")
