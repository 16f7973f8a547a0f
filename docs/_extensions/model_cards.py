"""Model cards of the packaged networks as pages."""

from skpneumo.persistence import model_card, pretrained_path

NAMES = ("mean", "cnn", "inception")


def write_model_cards(folder):
    """Write a page for each network, with its name as title."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        lines = model_card(pretrained_path(name)).splitlines()
        title = f'# `load_pretrained("{name}")`'
        (folder / f"{name}.md").write_text("\n".join([title, *lines[1:]]) + "\n", encoding="utf-8")
