"""Tea for one: thin grey-blue ink, many small closed parts, steam that fades out."""

from __future__ import annotations

from pages.motifs import flower
from pen import Drawing, ellipse, moved


def draw() -> Drawing:
    """The page, inked and hinted."""
    page = Drawing(1100, 900, seed=5, weight=3.8)
    _room(page)
    _pot(page)
    _cup(page)
    _biscuits(page)
    _hints(page)
    return page


def _room(page: Drawing) -> None:
    page.line("-10,560! 300,556 800,560 1110,556!", weight=0.9)
    page.shape(
        "-20,640! 120,618 300,652 500,622 700,652 900,620 1120,648! 1120,920! -20,920!", weight=0.9
    )
    page.line("-20,680! 120,658 300,692 500,662 700,692 900,660 1120,688!", weight=0.7)
    # window with a hill and a sun
    page.shape("690,60! 1010,56! 1014,420! 686,424!")
    page.shape("716,86! 984,82! 988,392! 712,396!", weight=0.8)
    page.line("850,84! 851,394!", weight=0.8)
    page.line("714,236! 986,234!", weight=0.8)
    page.line("713,330! 780,300 850,322!", weight=0.7)
    page.line("851,322! 910,286 987,318!", weight=0.7)
    page.shape(ellipse(924, 160, 66, 66), weight=0.7)
    page.shape("664,420! 1036,416! 1040,452! 660,456!")


def _pot(page: Drawing) -> None:
    page.shape(
        "640,520! 700,500 730,440 770,410 806,418! 796,436 780,440! 762,500 730,570 650,620!"
    )
    page.shape(
        "268,470! 190,440 130,480 132,560 170,640 268,668! 262,630! 200,610 172,560 180,500 268,512!"
    )
    page.shape(
        "450,392 560,404 636,460 664,548 640,650 570,708 450,720 330,708 260,650 236,548 264,460 340,404"
    )
    page.shape("352,404! 380,380 450,372 520,380 548,404! 500,420 450,424 400,420")
    page.shape("372,388! 390,352 450,338 510,352 528,388! 490,396 450,398 410,396")
    page.shape(ellipse(450, 316, 50, 46))
    page.shape("356,706! 450,722 544,706! 556,734! 450,748 344,734!")
    page.line("246,500! 340,530 450,538 560,530 654,500!", weight=0.8)
    page.line("246,612! 340,642 450,650 560,642 654,612!", weight=0.8)
    for x, y in ((330, 590), (450, 598), (570, 590)):
        page.shape(moved(flower(), x, y, 38), weight=0.7)
        page.shape(ellipse(x, y, 22, 22), weight=0.6)


def _cup(page: Drawing) -> None:
    page.shape(ellipse(810, 770, 330, 96))
    page.shape(ellipse(810, 760, 200, 50), weight=0.7)
    page.shape(
        "904,650! 960,632 990,670 968,714 888,724! 894,704! 944,694 958,672 944,656 902,674!"
    )
    page.shape("700,630! 706,700 740,750 780,766 840,766 880,750 914,700 920,630!")
    page.shape(ellipse(810, 630, 220, 60))
    page.shape(ellipse(810, 636, 184, 40), weight=0.8)
    for path in (
        "770,600! 744,560 790,530 766,480 784,450",
        "822,596! 850,556 812,530 840,490 826,470",
    ):
        page.line(path, weight=0.7)
    page.shape(moved(flower(), 810, 706, 34), weight=0.7)
    page.shape(ellipse(810, 706, 20, 20), weight=0.6)


def _biscuits(page: Drawing) -> None:
    page.shape(ellipse(330, 812, 420, 110))
    page.shape(ellipse(330, 800, 320, 70), weight=0.7)
    page.shape("200,800! 190,764 210,744 262,738 314,744 334,764 324,800! 300,816 224,816")
    page.line("196,774! 230,786 294,786 330,772!", weight=0.7)
    page.shape("330,812! 322,776 344,756 396,750 448,756 466,776 458,812! 430,828 360,828")
    page.line("327,786! 362,798 428,798 463,784!", weight=0.7)
    for x, y in ((240, 760), (282, 756), (300, 770), (370, 770), (412, 768), (436, 778)):
        page.line(f"{x - 5},{y} {x + 5},{y - 3}", weight=0.7)
    strawberry = "560,790! 530,770 528,736 556,716 590,718 612,742 602,776 570,804"
    page.shape(strawberry)
    page.shape(
        "548,722! 556,706 572,712! 584,694 594,710! 610,708 604,730! 586,730 570,724!", weight=0.8
    )
    for x, y in ((552, 750), (576, 748), (562, 774), (590, 762)):
        page.line(f"{x},{y} {x + 1},{y + 8}", weight=0.8)


def _hints(page: Drawing) -> None:
    page.hint(
        "#f6e2c4", "60,80 200,120 320,90", "60,360 110,400", "580,180 610,280", "1066,200 1074,330"
    )
    page.hint("#f6e2c4", "880,500 980,510", "204,532", width=12)
    page.hint("#f6e2c4", "766,510 772,530", width=9)
    page.hint("#dcae7c", "680,630 730,600", width=9)
    page.hint("#dcae7c", "40,596 100,600", "880,592 1000,596", "208,588", width=12)
    page.hint("#fff8ec", "24,654 80,642", "1020,640 1080,658", "684,674", width=9)
    page.hint(
        "#6fa8a0", "50,760 110,740", "600,850 640,800", "1040,820 1080,760", "676,730", "934,676"
    )
    page.hint(
        "#ea8a76",
        "350,450 450,430 540,450",
        "400,684 500,690",
        "720,540 750,490",
        "150,540 160,590",
    )
    page.hint("#d86a5c", "410,366 480,360", "400,733 480,738", "440,411 470,411", width=9)
    page.hint("#f4c552", "444,312 458,316", width=12)
    page.hint("#fff3e0", "276,566 284,610", "386,594 388,612", "510,600 512,616", "620,590")
    for x, y in ((330, 590), (450, 598), (570, 590)):
        page.hint("#6fa8a0", f"{x},{y - 22}", width=9)
        page.hint("#f4c552", f"{x},{y}", width=9)
    page.hint("#fff3e0", "736,680 756,720", "866,690 872,716", "972,660 974,684", "810,607")
    page.hint("#ea8a76", "810,686", width=8)
    page.hint("#f4c552", "810,706", width=8)
    page.hint("#a85a2a", "770,636 840,640", width=12)
    page.hint("#ffd9c4", "670,780 690,790", "900,800 940,790")
    page.hint("#ea8a76", "724,762", "896,762", "810,777", width=7)
    page.hint("#fff8ec", "150,830 200,846", "420,850 470,840")
    page.hint("#b9d8d2", "182,800", "476,806", width=8)
    page.hint("#8a5532", "230,762 290,760", "360,778 420,774", width=11)
    page.hint("#e2ad68", "220,798 280,800", "350,808 430,812", width=11)
    page.hint("#d93f4c", "544,750 556,790")
    page.hint("#74a860", "574,720 592,722", width=8)
    page.hint("#fffaf0", "703,120 703,220", "1000,120 1001,300", width=10)
    page.hint("#bfe0ea", "750,130 800,190", "870,200 880,130", "770,258 800,262", "870,262 960,266")
    page.hint("#9cc391", "740,360 810,370", "880,360 950,370")
    page.hint("#ffd76e", "918,158 932,162")
    page.hint("#fffaf0", "680,440 710,440", "860,438 1000,434")
