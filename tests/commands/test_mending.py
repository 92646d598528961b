"""What DVC leaves damaged where it is killed."""

from projects import Project


def test_half_of_dvc_s_list_of_uses_is_removed_and_said(project: Project) -> None:
    uses = project.root / ".dvc/tmp/rwlock"
    uses.parent.mkdir(parents=True, exist_ok=True)
    uses.write_text('{"write": {"models/', "utf-8")
    # DVC knows no remedy
    assert "JSON structure is corrupted" in project.fails("dvc", "repro", "check")

    told = project.run("image-recipes", "remove", "dots", check=False).stderr

    assert told == ".dvc/tmp/rwlock: removed, since a DVC that was killed has left half of it\n"
    assert project.repro("check") == {"check"}
