"""Ask the advisories of PyPI whether the locked packages have known weaknesses; run by `make audit`."""

import json
import subprocess
import sys

from packages.locked import LOCKS

COMMAND = ("pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json")
OFFLINE = "pypi.org's advisories cannot be reached from here: run it where there is internet"


def read_findings(report: str) -> tuple[list[str], list[str], int]:
    """Read what pip-audit reports.

    Args:
        report: JSON of pip-audit; empty where it had no answer.

    Returns:
        A line for each weakness, the names of packages that it could not ask for, and how many it could.
    """
    packages = json.loads(report)["dependencies"] if report.strip() else []
    weak = [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    # pip-audit itself counts these as free of weaknesses
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    return weak, skipped, len(packages) - len(skipped)


def main() -> None:
    """Audit both lock files; exit with 1 unless every package was asked for and none is known as weak."""
    failed = False
    for lock in LOCKS:
        done = subprocess.run([*COMMAND, "--requirement", str(lock)], capture_output=True, text=True)
        weak, skipped, asked = read_findings(done.stdout)
        print(*weak, sep="\n", end="\n" * bool(weak))
        if not asked:
            print(f"error: {lock}: not audited: {OFFLINE}", file=sys.stderr)
        elif skipped:
            print(f"error: {lock}: not audited, since PyPI does not know them: {', '.join(skipped)}", file=sys.stderr)
        else:
            print(f"{lock}: {asked} packages, {len(weak)} known weaknesses")
        failed |= bool(weak or skipped or not asked)
    sys.exit(failed)


if __name__ == "__main__":
    main()
