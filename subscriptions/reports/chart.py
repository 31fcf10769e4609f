"""Charts on the cells of a sheet, drawn by openpyxl; the values are stored with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from subscriptions.reports.style import SANS, colour

if TYPE_CHECKING:
    from openpyxl.chart import BarChart, LineChart
    from openpyxl.chart.series import Series as DrawnSeries
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.chart.text import RichText

POINT = 12700  # English Metric Units
MOST_STEPS = 6
FEW_CATEGORIES = 4


@dataclass(frozen=True, slots=True)
class Values:
    """The cells that a chart draws, as an absolute reference, and what they hold."""

    ref: str
    held: Sequence[str]


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Values
    colour: str = "chart-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart in its place; ``description`` is read out to who cannot see it.

    Columns are stacked and may be compared with a dashed line; bars lie and show their values.
    """

    title: str
    description: str
    anchor: str
    width_cm: float
    height_cm: float
    categories: Values
    series: Sequence[Series]
    line: Series | None = None
    lying: bool = False
    number_format: str = "0"
    largest: float = 0

    def drawing(self) -> Any:
        """Give the chart as openpyxl writes it."""
        chart = _bars(self)
        if self.line:
            chart += _line(self)
        chart.title = _title(self.title)
        chart.anchor = self.anchor
        chart.width, chart.height = self.width_cm, self.height_cm  # type: ignore[assignment]  # stubs say int
        chart.roundedCorners = False
        chart.graphical_properties = _nothing()
        _place_legend(chart, self)
        return chart


def _bars(chart: Chart) -> BarChart:
    from openpyxl.chart import BarChart

    drawn = BarChart()
    drawn.type = "bar" if chart.lying else "col"
    if chart.lying:
        drawn.grouping = "clustered"
    else:
        drawn.grouping, drawn.overlap = "stacked", 100
    many = len(chart.categories.held) > FEW_CATEGORIES
    drawn.gapWidth = 50 if chart.lying else 60 if many else 90
    for number, series in enumerate(chart.series):
        bar = _series(number, series, chart.categories)
        bar.graphicalProperties = _filled(series.colour)
        drawn.series.append(bar)
    _draw_axes(drawn, chart)
    if chart.lying:
        _label_values(drawn)
    return drawn


def _line(chart: Chart) -> LineChart:
    from openpyxl.chart import LineChart
    from openpyxl.chart.marker import Marker
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.line import LineProperties

    assert chart.line is not None  # noqa: S101  # asked for by drawing()
    drawn = LineChart()
    series = _series(len(chart.series), chart.line, chart.categories)
    series.graphicalProperties = GraphicalProperties(
        ln=LineProperties(w=int(1.5 * POINT), solidFill=colour("ink"), prstDash="sysDash")
    )
    series.marker = Marker("none")
    series.smooth = False
    drawn.series.append(series)
    return drawn


def _series(number: int, series: Series, categories: Values) -> DrawnSeries:
    from openpyxl.chart.data_source import (
        AxDataSource,
        NumData,
        NumDataSource,
        NumRef,
        NumVal,
        StrData,
        StrRef,
        StrVal,
    )
    from openpyxl.chart.series import Series as DrawnSeries
    from openpyxl.chart.series import SeriesLabel

    held = series.values.held
    numbers = [NumVal(idx=at, v=value) for at, value in enumerate(held) if value]
    names = [StrVal(idx=at, v=name) for at, name in enumerate(categories.held)]
    return DrawnSeries(
        idx=number,
        order=number,
        tx=SeriesLabel(v=series.name),
        cat=AxDataSource(
            strRef=StrRef(categories.ref, strCache=StrData(ptCount=len(names), pt=names))
        ),
        val=NumDataSource(
            numRef=NumRef(
                series.values.ref,
                numCache=NumData(formatCode="General", ptCount=len(held), pt=numbers),
            )
        ),
    )


def _draw_axes(drawn: BarChart, chart: Chart) -> None:
    from openpyxl.chart.axis import ChartLines

    drawn.x_axis.delete, drawn.y_axis.delete = False, chart.lying
    for axis in (drawn.x_axis, drawn.y_axis):
        axis.txPr = _text(9)
        axis.majorTickMark = "none"
        axis.title = None
    drawn.x_axis.graphicalProperties = _stroke("ink-2", 0.75)
    drawn.y_axis.graphicalProperties = _nothing()
    drawn.y_axis.scaling.min = 0
    drawn.y_axis.number_format = chart.number_format
    if chart.lying:
        drawn.x_axis.scaling.orientation = "maxMin"
        drawn.y_axis.majorGridlines = None
        # Or the longest bar loses its label.
        drawn.y_axis.scaling.max = max(1.0, 1.15 * chart.largest)
    else:
        step = step_of(chart.largest)
        drawn.y_axis.majorUnit = step
        drawn.y_axis.scaling.max = step * max(1, ceil(1.1 * chart.largest / step))
        drawn.y_axis.majorGridlines = ChartLines(spPr=_stroke("line", 0.5))


def step_of(largest: float) -> float:
    """Give a round distance of the grid lines, so that at most six of them reach the largest."""
    step = 1.0
    while largest > step * MOST_STEPS:
        step *= 2.5 if str(step).startswith("2") else 2
    return step


def _label_values(drawn: BarChart) -> None:
    from openpyxl.chart.label import DataLabelList

    labels = DataLabelList(dLblPos="outEnd")
    labels.showVal = True
    for name in ("showSerName", "showCatName", "showLegendKey", "showPercent"):
        setattr(labels, name, False)
    labels.txPr = _text(9, bold=True, ink="ink")
    drawn.dataLabels = labels


def _place_legend(drawn: Any, chart: Chart) -> None:
    if chart.lying:
        drawn.legend = None
        return
    drawn.legend.position = "b"
    drawn.legend.txPr = _text(9)


def _title(text: str) -> Any:
    from openpyxl.chart.layout import Layout, ManualLayout
    from openpyxl.chart.text import RichText, Text
    from openpyxl.chart.title import Title
    from openpyxl.drawing.text import Paragraph, ParagraphProperties, RegularTextRun

    properties = _characters(11, bold=True, ink="ink")
    paragraph = Paragraph(
        pPr=ParagraphProperties(algn="l", defRPr=properties),
        r=[RegularTextRun(rPr=properties, t=text)],
    )
    return Title(
        tx=Text(rich=RichText(p=[paragraph])),
        overlay=False,
        layout=Layout(manualLayout=ManualLayout(xMode="edge", yMode="edge", x=0.012, y=0.02)),
    )


def _characters(size: int, *, bold: bool, ink: str) -> Any:
    from openpyxl.drawing.text import CharacterProperties, Font

    return CharacterProperties(
        sz=size * 100, b=bold, solidFill=colour(ink), latin=Font(typeface=SANS)
    )


def _text(size: int, *, bold: bool = False, ink: str = "ink-2") -> RichText:
    from openpyxl.chart.text import RichText
    from openpyxl.drawing.text import Paragraph, ParagraphProperties

    properties = _characters(size, bold=bold, ink=ink)
    return RichText(
        p=[Paragraph(pPr=ParagraphProperties(defRPr=properties), endParaRPr=properties)]
    )


def _filled(name: str) -> GraphicalProperties:
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.line import LineProperties

    return GraphicalProperties(solidFill=colour(name), ln=LineProperties(noFill=True))


def _stroke(name: str, points: float) -> GraphicalProperties:
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.line import LineProperties

    return GraphicalProperties(ln=LineProperties(w=int(points * POINT), solidFill=colour(name)))


def _nothing() -> GraphicalProperties:
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.line import LineProperties

    return GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
