# SPDX-License-Identifier: Apache-2.0
"""Prometheus' text format 0.0.4, read so strictly that a scrape which real servers would only half like fails."""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"')
UNESCAPE = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


class Scrape:
    """types: {family: type}; samples: {(name, ((label, value), ...)): number}."""

    def __init__(self, text):
        assert text.endswith("\n"), "the last line has no end"
        self.types, self.help, self.samples = {}, {}, {}
        self.family = None
        self.closed = set()
        for line in text[:-1].split("\n"):
            self.line(line)
        for family, kind in self.types.items():
            if kind == "histogram":
                self.check_histogram(family)

    def line(self, line):
        if line.startswith("# HELP "):
            family, _, words = line[7:].partition(" ")
            assert NAME.match(family) and words and family not in self.help, line
            self.help[family] = words
        elif line.startswith("# TYPE "):
            family, _, kind = line[7:].partition(" ")
            assert kind in ("counter", "gauge", "histogram") and family not in self.types, line
            assert family in self.help, f"no HELP before {line}"
            assert (kind == "counter") == family.endswith("_total"), line
            self.types[family] = kind
        elif line and not line.startswith("#"):
            self.sample(line)

    def sample(self, line):
        found = SAMPLE.match(line)
        assert found, f"not a sample: {line!r}"
        name, labels = found[1], self.labels(found[2] or "")
        family = name
        if name not in self.types:
            family = re.sub(r"_(bucket|sum|count)\Z", "", name)
            assert self.types.get(family) == "histogram", f"no TYPE before {line}"
        if family != self.family:
            assert family not in self.closed, f"{family} is not in one piece"
            self.closed.add(self.family)
            self.family = family
        key = name, tuple(sorted(labels.items()))
        assert key not in self.samples, f"given twice: {line}"
        self.samples[key] = float(found[3].replace("Inf", "inf"))
        assert self.types[family] == "gauge" or self.samples[key] >= 0, line

    @staticmethod
    def labels(text):
        pairs = LABEL.findall(text)
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), f"a label twice: {text}"
        return {name: re.sub(r"\\.", lambda found: UNESCAPE[found[0]], value) for name, value in pairs}

    def check_histogram(self, family):
        series = {}
        for (name, labels), value in self.samples.items():
            if name == family + "_bucket":
                le = float(dict(labels)["le"].replace("Inf", "inf"))
                series.setdefault(tuple(pair for pair in labels if pair[0] != "le"), []).append((le, value))
        for rest, buckets in series.items():
            assert buckets == sorted(buckets), f"{family}{rest}: buckets out of order"
            counts = [value for _, value in buckets]
            assert counts == sorted(counts), f"{family}{rest}: buckets do not add up"
            assert buckets[-1][0] == float("inf"), f"{family}{rest} has no +Inf"
            assert buckets[-1][1] == self.samples[family + "_count", rest], f"{family}{rest}: +Inf is not _count"
            assert (family + "_sum", rest) in self.samples

    def value(self, name, **labels):
        """The sum over the samples that have these labels, whatever else they have; 0 when there is none of them."""
        family = re.sub(r"_(bucket|sum|count)\Z", "", name)
        assert name in self.types or family in self.types, f"no metric is called {name}: {sorted(self.types)}"
        wanted = set((key, str(value)) for key, value in labels.items())
        return sum(value for (key, have), value in self.samples.items() if key == name and wanted <= set(have))
