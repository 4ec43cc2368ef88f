"""An animation as an artist makes one: two rooms that move, some of the key frames held."""

from __future__ import annotations

import re

from .pictures import SPACES, Rooms

# Times of the key frames of the lines; between them frames are held.
TIMES = (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 14, 15, 16, 18, 19, 20, 22, 24, 25, 26, 28, 30, 31, 35)
LAST = 47
# Share of the rooms that have their colour; all of them had when it was measured.
RIGHT = 0.95


class Shot:
    """``document`` with the layers ``line`` and ``colour``; ``rooms`` of each key frame by time."""

    def __init__(self, stage, document, line, colour, space="rgba8"):
        self.stage, self.document = stage, document
        self.line, self.colour = line, colour
        _, self.ink, self.first, self.second = SPACES[space]
        self.rooms = {}

    def move_to(self, node, time):
        """The playhead on a frame of a layer; an event-loop turn lets Krita follow."""
        self.document.setActiveNode(node)
        self.document.setCurrentTime(time)
        self.document.waitForDone()
        yield 30

    def add_frame(self, node, time):
        """An empty key frame, by the entry of Krita's timeline."""
        yield from self.move_to(node, time)
        self.stage.krita.action("add_blank_frame").trigger()
        self.document.waitForDone()
        yield 10
        assert node.hasKeyframeAtTime(time), time

    def remove_frame(self, node, time):
        """Takes a key frame out, by the entry of Krita's timeline."""
        yield from self.move_to(node, time)
        yield 300
        self.stage.krita.action("remove_frames").trigger()
        self.document.waitForDone()
        yield 100
        assert not node.hasKeyframeAtTime(time), time

    def draw_line(self, time, number):
        """The two rooms, a little further for each number."""
        yield from self.add_frame(self.line, time)
        rooms = Rooms(self.document.width(), self.document.height())
        shift = 2 * number
        for x, y, width, height in rooms.lines():
            self.stage.fill(
                self.document, self.line, self.ink, x - rooms.left // 2 + shift, y, width, height
            )
        move = shift - rooms.left // 2
        self.rooms[time] = (
            (rooms.first[0] + move, rooms.first[1]),
            (rooms.second[0] + move, rooms.second[1]),
            (rooms.left + move, rooms.middle + move, rooms.right + move, rooms.top, rooms.bottom),
        )

    def paint(self, time):
        """The rooms of a frame filled on the colour layer."""
        yield from self.add_frame(self.colour, time)
        left, middle, right, top, bottom = self.rooms[time][2]
        fill = self.stage.fill
        fill(self.document, self.colour, self.first, left, top, middle - left, bottom - top)
        fill(self.document, self.colour, self.second, middle, top, right - middle, bottom - top)

    def read(self, node, time):
        size = self.document.width(), self.document.height()
        return bytes(node.pixelDataAtTime(0, 0, *size, time))

    def at(self, pixels, place):
        """One pixel of `read`."""
        size = len(pixels) // (self.document.width() * self.document.height())
        start = (place[1] * self.document.width() + place[0]) * size
        return pixels[start : start + size]

    def keys(self, node):
        return [time for time in range(LAST + 50) if node.hasKeyframeAtTime(time)]

    def colours_in(self, pixels):
        """All colours but the transparent ones, which have many values in some colour spaces."""
        size = len(self.first)
        found = {pixels[i : i + size] for i in range(0, len(pixels), size)}
        channels = size if size in (2, 5) else 4
        return {colour for colour in found if any(colour[-size // channels :])}

    def artist(self):
        """Every frame of the artist's layers and what else is theirs."""
        layers = {
            node.name(): [self.read(node, time) for time in self.keys(node)]
            for node in (self.line, self.colour)
        }
        kept = self.stage.fingerprint(self.document, skip=["Colours"])
        return layers, kept, self.document.currentTime()

    def check_result(self, result):
        """Key frames where the lines have them; the artist's own where they coloured; the rest
        in their colours alone, in the rooms where they belong. Returns the share of those."""
        assert self.keys(result) == list(TIMES)
        for time in TIMES:
            pixels = self.read(result, time)
            if time in (TIMES[0], TIMES[-1]):
                assert pixels == self.read(self.colour, time), time
            assert self.colours_in(pixels) <= {self.first, self.second}, time
            # One colour to the ends of a room.
            for x, y in self.rooms[time][:2]:
                assert self.at(pixels, (x + 20, y + 30)) == self.at(pixels, (x, y)), time
        return self.check_rooms(result, TIMES)

    def check_rooms(self, result, times, shift=(0, 0)):
        """The two colours are not swapped in any frame, and hardly a room has a wrong one.

        ``shift``: how far the drawing has been moved. Returns the share of right rooms."""
        right = 0
        for time in times:
            pixels = self.read(result, time)
            places = [(x + shift[0], y + shift[1]) for x, y in self.rooms[time][:2]]
            seen = [self.at(pixels, place) for place in places]
            assert seen != [self.second, self.first], time
            right += (seen[0] == self.first) + (seen[1] == self.second)
        assert right >= RIGHT * 2 * len(times), right
        return right / (2 * len(times))


def colorize(stage, seconds=120):
    """The menu action, waited for; returns the notice."""
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, seconds, "the animation")
    yield 100
    return stage.notice()


def colorize_until(stage, frame):
    """The menu action, until a frame of this number or a later one is under way; returns the desk.

    The backend goes on meanwhile: what has to happen before the last frame happens at once, or
    while the worker is held (`processes.held`).
    """
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(
        lambda: desk.job is None or _under_way(desk.job) >= frame, 60, "some frames"
    )
    assert desk.job is not None, desk.notice
    return desk


def _under_way(job):
    """The number of the frame that an animation is at; 0 before its frames and after them."""
    found = re.match(r"Frame (\d+) of", job.stage)
    return int(found[1]) if found else 0


def make(stage, space="rgba8", width=320, height=240, times=TIMES, painted=None):
    """The artist's document; the first and the last frame are coloured. Returns `Shot`."""
    (model, depth, profile), _, *_ = SPACES[space]
    document = stage.document(width, height, model, depth, profile)
    document.setFullClipRangeEndTime(LAST)
    line = stage.layer(document, "Ink")
    colour = stage.layer(document, "Paint")
    yield 200
    shot = Shot(stage, document, line, colour, space)
    for node in (line, colour):
        yield from stage.activate(document, node)
        node.enableAnimation()
    yield from stage.activate(document, line)
    for number, time in enumerate(times):
        yield from shot.draw_line(time, number)
    yield from stage.activate(document, colour)
    painted = (times[0], times[-1]) if painted is None else painted
    for time in painted:
        yield from shot.paint(time)
        if time != painted[-1]:
            yield from shot.add_frame(colour, time + 1)
    yield from shot.move_to(line, 3)
    stage.refresh(document)
    yield 300
    return shot
