"""What modules import, read from their syntax: nothing is run."""

import ast
from collections.abc import Iterator
from pathlib import Path

from projects import ROOT


def named_imports(module: Path) -> set[str]:
    """Return what a module imports, at its top or in its functions, by full name."""
    names = set()
    for node in _nodes_that_run(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.module, f"{module}: a relative import"
            assert not node.level, f"{module}: a relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def _nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a syntax tree, except what is for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from _nodes_that_run(other)
        else:
            yield child
            yield from _nodes_that_run(child)


def imported(file: str, seen: set[str] | None = None) -> set[str]:
    """Collect the files of the package that a file of the project imports, directly or through others."""
    seen = set() if seen is None else seen
    for name in named_imports(ROOT / file):
        module = name.replace(".", "/") + ".py"
        if name.startswith("image_recipes.") and (ROOT / module).exists() and module not in seen:
            seen.add(module)
            imported(module, seen)
    return seen
