"""A fox before a full moon: sepia ink, two long breaks in the outline."""

from __future__ import annotations

from pages.motifs import star
from pen import Drawing, ellipse, mirrored, moved

STARS = ((80, 150, 28), (930, 110, 32), (62, 420, 19), (935, 420, 22), (60, 650, 22), (205, 60, 18))
CRATERS = ((282, 250, 92, 80), (748, 470, 74, 64), (240, 560, 58, 48), (715, 215, 50, 42))


def draw() -> Drawing:
    """The page, inked and hinted."""
    page = Drawing(1000, 1000, seed=3)
    _night(page)
    _body(page)
    _head(page)
    _hints(page)
    return page


def _night(page: Drawing) -> None:
    page.shape(ellipse(500, 420, 740, 740), weight=0.8)
    for x, y, width, height in CRATERS:
        page.shape(ellipse(x, y, width, height, 10), weight=0.6)
    for x, y, size in STARS:
        page.shape(moved(star(), x, y, size), weight=0.6)
    page.shape("-20,780! 120,735 300,752 480,790 700,742 880,728 1020,760! 1020,1020! -20,1020!")
    page.shape("-20,905! 150,870 330,885 500,905 700,888 860,872 1020,895! 1020,1020! -20,1020!")
    for x, y in ((110, 940), (255, 965), (720, 965), (880, 935)):
        page.line(f"{x},{y} {x - 8},{y - 16} {x - 18},{y - 26}", weight=0.7)
        page.line(f"{x + 3},{y} {x + 5},{y - 22} {x + 4},{y - 36}", weight=0.7)
        page.line(f"{x + 6},{y} {x + 16},{y - 15} {x + 26},{y - 22}", weight=0.7)


def _body(page: Drawing) -> None:
    tail = (
        "560,880! 690,892 800,866 872,796 894,690 862,600 880,510! 806,552 762,640 744,722 "
        "690,776 600,790!"
    )
    page.shape(tail, gaps=((0.27, 22),))
    page.line("752,684! 780,696 796,668 818,692 838,664 862,682 892,660!", weight=0.8)
    page.shape(
        "402,470 372,560 330,650 300,740 292,830 318,880 372,892 640,892 684,880 708,830 "
        "700,740 664,650 626,560 598,470"
    )
    page.line("318,880 360,868 384,800 372,740 344,708", weight=0.9)
    page.line("682,880 640,868 616,800 628,740 656,708", weight=0.9)
    leg = "432,640 428,760 420,850 400,884 404,914 440,924 486,916 494,884 496,780 500,700!"
    for path in (leg, mirrored(leg, 500)):
        page.shape(path)
    sock = "424,818! 444,804 460,822 476,804 496,818!"
    for path in (sock, mirrored(sock, 500)):
        page.line(path, weight=0.8)
    for x in (432, 458, 542, 568):
        page.line(f"{x},900 {x + 1},918", weight=0.6)
    page.shape(
        "408,500! 392,560 404,600! 420,598 424,650! 444,640 460,700! 478,680 500,730! "
        "522,680 540,700! 556,640 576,650! 580,598 596,600! 608,560 592,500! 500,540"
    )


def _head(page: Drawing) -> None:
    ear = "366,350 330,240 316,112! 400,160 474,270!"
    inner = "384,320 356,240 344,172! 394,208 432,268!"
    for path, weight in ((ear, 1), (inner, 0.7)):
        for side in (path, mirrored(path, 500)):
            page.shape(side, weight)
    page.shape(
        "500,232 580,246 640,300 668,372 724,432! 674,440 694,482! 642,484 642,514! 590,516 "
        "545,556 500,570 455,556 410,516 358,514! 358,484! 306,482! 326,440 276,432! 332,372 "
        "360,300 420,246",
        gaps=((0.135, 18),),
    )
    page.line("276,432! 360,416 430,440 462,470 476,504!", weight=0.9)
    page.line("724,432! 640,416 570,440 538,470 524,504!", weight=0.9)
    page.shape("468,498 500,486 532,498 518,524 500,534 482,524", solid=True)
    page.line("500,530 500,548 484,556", weight=0.7)
    page.line("500,546 516,556", weight=0.7)
    eye = "388,398! 406,362 446,360 468,402! 440,414 412,412"
    for path in (eye, mirrored(eye, 500)):
        page.shape(path, weight=1.1)
    for x in (432, 568):
        page.shape(ellipse(x, 387, 32, 42), weight=0.3, solid=True)
        page.shine(x - 6, 378, 12)
    page.line("382,330 406,312 438,318", weight=0.7)
    page.line("618,330 594,312 562,318", weight=0.7)


def _hints(page: Drawing) -> None:
    page.hint("#3d5a80", "150,60 130,200 70,300", "860,60 900,200 960,300", "80,560 110,690")
    page.hint("#f7e4b0", "480,86 560,78 640,100", "180,400 192,470", "800,300 826,370")
    page.hint("#e9cd8c", *(f"{x - 10},{y} {x + 10},{y + 4}" for x, y, _, _ in CRATERS))
    page.hint("#ffd76e", *(f"{x},{y}" for x, y, _ in STARS), width=11)
    page.hint("#6f9a83", "40,810 150,800 240,800", "910,790 950,796 985,812")
    page.hint("#6f9a83", "712,754", width=9)
    page.hint("#4f7a68", "40,960 130,985 300,985", "600,970 780,985 960,960")
    page.hint(
        "#e8793a", "440,290 480,268 546,280", "346,680 322,760 330,830", "654,680 678,760 670,830"
    )
    page.hint(
        "#e8793a",
        "820,730 780,810 700,836",
        "460,760 462,790",
        "540,760 538,790",
        "328,148 334,200 348,270",
        "408,186 446,246",
    )
    page.hint("#e8793a", "672,148 666,200 652,270", "592,186 554,246", "350,838", "650,838")
    page.hint(
        "#fff4e3", "340,450 390,466 420,490", "660,450 610,466 580,490", "470,600 500,650 530,600"
    )
    page.hint("#fff4e3", "860,620 836,600", "440,398 452,398", "410,392", "590,392")
    page.hint("#f7e4b0", "722,722", width=8)
    page.hint("#e8793a", "499,800 499,880", width=4)
    page.hint("#ffffff", "426,378", "560,378", width=5)
    page.hint("#8a4a3c", "370,240 384,260", "630,240 616,260")
    page.hint("#6b3a2c", "450,850 456,880", "550,850 544,880")
