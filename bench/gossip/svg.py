"""Small charts as SVG, by hand: lines and grouped bars over linear or logarithmic axes.

    chart = Chart("False positives", Axis("members silent"), Axis("number", log=True))
    chart.line("SWIM", [(4, 10), (16, 900)])
    chart.write("docs/plots/false.svg")
"""
import math
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 16, 64, 48
# Distinguishable by those who see few colours, too (Okabe and Ito); the second three are dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


class Axis:
    """What one axis shows. `ticks`: exactly those; `log`: by powers of ten, zero shown at the foot."""

    def __init__(self, label, log=False, ticks=None, low=None, high=None):
        self.label, self.log, self.ticks, self.low, self.high = label, log, ticks, low, high

    def fit(self, values):
        low = min(values) if self.low is None else self.low
        high = max(values) if self.high is None else self.high
        if self.log and self.ticks:
            self.low, self.high = low / 1.25, high * 1.25
            return
        if self.log:
            exponents = [math.log10(v) for v in (low, high) if v > 0] or [0]
            self.low, self.high = 10 ** math.floor(min(exponents)), 10 ** math.ceil(max(exponents))
            if self.high == self.low:
                self.high *= 10
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            self.ticks = [10.0 ** e for e in range(first, last + 1)]
            return
        self.low = min(low, 0) if self.low is None else low
        if self.ticks is None:
            step = nice_step((high - self.low) / 5 or 1)
            count = math.ceil((high - self.low) / step - 1e-9)
            self.ticks = [self.low + step * i for i in range(count + 1)]
        self.high = max(high, self.ticks[-1])

    def place(self, value):
        """0 at the low end to 1 at the high one."""
        if self.log:
            value = max(value, self.low)
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def nice_step(rough):
    unit = 10 ** math.floor(math.log10(rough))
    return next(unit * f for f in (1, 2, 2.5, 5, 10) if unit * f >= rough - 1e-12)


def words(value):
    return f"{value:,.6g}".replace(",", " ")


class Chart:
    def __init__(self, title, x, y):
        self.title, self.x, self.y = title, x, y
        self.lines = []  # (name, points)
        self.groups = None  # names of the groups of bars
        self.bars = []  # (name, a height for each group)

    def line(self, name, points):
        self.lines.append((name, list(points)))

    def grouped_bars(self, groups, series):
        self.groups, self.bars = list(groups), list(series)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text())

    def text(self):
        heights = [y for _, points in self.lines for _, y in points]
        self.y.fit(heights + [h for _, bars in self.bars for h in bars])
        if self.lines:
            self.x.fit([x for _, points in self.lines for x, _ in points])
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                 f'font-family="sans-serif" font-size="12">',
                 f'<title>{escape(self.title)}</title>',
                 f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
                 text(WIDTH / 2, 20, self.title, size=15)]
        parts += self.legend([name for name, _ in self.lines or self.bars])
        parts += self.frame()
        parts += self.draw_bars() if self.groups else self.draw_lines()
        return "\n".join(parts + ["</svg>"]) + "\n"

    def at_x(self, share):
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def at_y(self, value):
        return HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)

    def legend(self, names):
        parts, at = [], LEFT
        for i, name in enumerate(names):
            parts.append(f'<line x1="{at}" x2="{at + 22}" y1="42" y2="42" stroke-width="4" '
                         f'{stroke(i)}/>')
            parts.append(text(at + 27, 46, name, anchor="start"))
            at += 40 + 6.6 * len(name)
        return parts

    def frame(self):
        foot, parts = HEIGHT - BOTTOM, []
        for tick in self.y.ticks:
            y = self.at_y(tick)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                         'stroke="#ddd"/>')
            parts.append(text(LEFT - 6, y + 4, words(tick), anchor="end"))
        for tick in self.x.ticks or [] if not self.groups else []:
            x = self.at_x(self.x.place(tick))
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{foot}" y2="{foot + 4}" '
                         'stroke="#333"/>')
            parts.append(text(x, foot + 18, words(tick)))
        parts.append(f'<path d="M{LEFT} {TOP}V{foot}H{WIDTH - RIGHT}" fill="none" stroke="#333"/>')
        parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, self.x.label))
        middle = (TOP + foot) / 2
        parts.append(f'<g transform="rotate(-90 14 {middle})">{text(14, middle, self.y.label)}</g>')
        return parts

    def draw_lines(self):
        parts = []
        for i, (_, points) in enumerate(self.lines):
            path = " ".join(f"{self.at_x(self.x.place(x)):.1f},{self.at_y(y):.1f}"
                            for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke-width="2" {stroke(i)}/>')
            if len(points) <= 12:
                parts += [f'<circle cx="{place.split(",")[0]}" cy="{place.split(",")[1]}" r="3" '
                          f'fill="{COLOURS[i % len(COLOURS)]}"/>' for place in path.split()]
        return parts

    def draw_bars(self):
        parts, foot = [], HEIGHT - BOTTOM
        room = 1 / len(self.groups)
        for g, group in enumerate(self.groups):
            parts.append(text(self.at_x((g + 0.5) * room), foot + 18, group, size=10))
            for i, (_, heights) in enumerate(self.bars):
                wide = 0.8 * room / len(self.bars)
                left, right = (self.at_x((g + 0.1) * room + wide * j) for j in (i, i + 1))
                top = self.at_y(heights[g])
                parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                             f'height="{foot - top:.1f}" fill="{COLOURS[i % len(COLOURS)]}"/>')
                parts.append(text((left + right) / 2, top - 4, words(heights[g]), size=10))
        return parts


def stroke(i):
    dashes = ' stroke-dasharray="6 3"' if i >= 3 else ""
    return f'stroke="{COLOURS[i % len(COLOURS)]}"{dashes}'


def text(x, y, said, anchor="middle", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
            f'{escape(said)}</text>')
