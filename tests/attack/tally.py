"""What an attack has compared, and what was not the same."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was compared, counted by its name, and a sentence for each difference."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def expect(self, what: str, same: bool, difference: str) -> None:  # noqa: FBT001
        """Count a comparison, and keep what to say where it failed."""
        self.compared[what] += 1
        if not same:
            self.differences.append(difference)

    def __str__(self) -> str:
        """Say what was compared."""
        counts = [f"{count} {what}" for what, count in self.compared.items()]
        return f"{', '.join(counts) or 'nothing'}: {len(self.differences)} differences"
