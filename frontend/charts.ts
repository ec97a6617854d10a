/** The charts of reports and experiments, drawn by uPlot: hover or the arrow keys read a day's values aloud. */

import uPlot from "uplot";

type Unit = "count" | "percent" | "money" | "lift";

interface Series {
  words: string;
  values: (number | null)[];
  dashed?: boolean;
  labels?: string[];
  low?: (number | null)[];
  high?: (number | null)[];
}

interface Chart {
  title: string;
  labels: string[];
  series: Series[];
  unit: Unit;
  currency: string;
}

const HEIGHT = 240;
/** Steps between two labels of the axis, in days. */
const STEPS = [1, 2, 7, 14, 28, 56, 91, 182, 365, 730];
const drawn = new Map<HTMLElement, uPlot>();
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const plot = drawn.get(target as HTMLElement);
    const width = widthOf(target);
    if (plot !== undefined && plot.width !== width) plot.setSize({ width, height: HEIGHT });
  }
});

function widthOf(element: Element): number {
  return Math.max(element.clientWidth, 200);
}

/** Return a color of the design, as the canvas takes it, in the scheme that an element has. */
function token(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  element.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

/** Return a color with less opacity. */
function faint(color: string, alpha: number): string {
  return `color-mix(in srgb, ${color} ${alpha * 100}%, transparent)`;
}

function written(value: number | null | undefined, { unit, currency }: Chart, short = false): string {
  if (value === null || value === undefined) return "–";
  const more: Intl.NumberFormatOptions = short ? { notation: "compact" } : {};
  if (unit === "percent") return new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 }).format(value);
  if (unit === "lift") {
    return new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(value);
  }
  if (unit === "money" && currency) {
    const digits = short ? { maximumFractionDigits: 0 } : {};
    try {
      return new Intl.NumberFormat("en", { style: "currency", currency, ...digits, ...more }).format(value);
    } catch {
      // no currency that this browser knows: its code follows the number
      return `${new Intl.NumberFormat("en", more).format(value)} ${currency}`;
    }
  }
  return new Intl.NumberFormat("en", { maximumFractionDigits: 1, ...more }).format(value);
}

function day(label: string, long: boolean): string {
  const at = new Date(`${label}T00:00:00Z`);
  const parts: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", timeZone: "UTC" };
  if (long) Object.assign(parts, { weekday: "short", year: "numeric" });
  return new Intl.DateTimeFormat("en-GB", parts).format(at);
}

/** Return what is to be read at one place of a chart. */
function reading(chart: Chart, place: number): string {
  const parts = chart.series.map((each) => {
    const bounds = each.low && each.high
      ? `, between ${written(each.low[place], chart)} and ${written(each.high[place], chart)}`
      : "";
    const when = each.labels?.[place];
    return `${when === undefined ? each.words : day(when, true)}: ${written(each.values[place], chart)}${bounds}`;
  });
  return `${day(chart.labels[place] ?? "", true)}. ${parts.join("; ")}`;
}

function readout(chart: Chart): { box: HTMLElement; show: (place: number | null) => void } {
  const box = document.createElement("div");
  box.className = "plot-tip";
  box.hidden = true;
  return {
    box,
    show(place) {
      box.hidden = place === null;
      if (place === null) return;
      const rows = chart.series.map((each) => {
        const row = document.createElement("span");
        row.className = each.dashed ? "tip-row before" : "tip-row";
        const name = document.createElement("span");
        name.textContent = each.labels?.[place] === undefined ? each.words : day(each.labels[place], false);
        const value = document.createElement("strong");
        value.textContent = written(each.values[place], chart);
        row.append(name, value);
        if (each.low && each.high) {
          const bounds = document.createElement("span");
          bounds.textContent = `${written(each.low[place], chart)} to ${written(each.high[place], chart)}`;
          row.append(bounds);
        }
        return row;
      });
      const title = document.createElement("span");
      title.className = "tip-title";
      title.textContent = day(chart.labels[place] ?? "", true);
      box.replaceChildren(title, ...rows);
    },
  };
}

/** Draw the chart of an element in its width and in the colors of its scheme. */
function draw(element: HTMLElement): void {
  const chart = JSON.parse(element.dataset["plot"] ?? "null") as Chart | null;
  if (chart === null) return;
  drawn.get(element)?.destroy();
  element.replaceChildren();
  const accent = token(element, "--accent");
  const soft = token(element, "--soft");
  const line = token(element, "--line");
  const zero = token(element, "--edge");
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const data: uPlot.AlignedData = [chart.labels.map((_, place) => place)] as unknown as uPlot.AlignedData;
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const lonely = chart.labels.length === 1;
  // What is compared lies below, so that the line of these days is never hidden.
  for (const each of [...chart.series].reverse()) {
    if (each.low && each.high) {
      const at = series.length;
      data.push(each.low, each.high);
      series.push({ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } });
      bands.push({ series: [at + 1, at], fill: faint(accent, 0.14) });
    }
    data.push(each.values.slice(0, chart.labels.length));
    series.push({
      stroke: each.dashed ? soft : accent,
      width: each.dashed ? 1.5 : 2,
      ...(each.dashed ? { dash: [4, 4] } : {}),
      ...(each.dashed || each.low ? {} : { fill: faint(accent, 0.09) }),
      points: { show: lonely, size: 7 },
    });
  }
  const tip = readout(chart);
  const live = document.createElement("p");
  live.className = "hidden";
  live.setAttribute("role", "status");
  const signed = chart.unit === "lift";
  const plot = new uPlot(
    {
      width: widthOf(element),
      height: HEIGHT,
      padding: [12, 26, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 8 } },
      scales: {
        x: { time: false, ...(lonely ? { range: (): uPlot.Range.MinMax => [-1, 1] } : {}) },
        y: {
          range: (_, low, high): uPlot.Range.MinMax => {
            const most = Math.max(high ?? 0, 0);
            const least = Math.min(low ?? 0, 0);
            const room = (most - least || (chart.unit === "count" ? 1 : 0.01)) * 0.08;
            return [least < 0 ? least - room : 0, most + room];
          },
        },
      },
      axes: [
        {
          stroke: soft,
          font,
          size: 32,
          grid: { show: false },
          ticks: { show: false },
          incrs: STEPS,
          space: 64,
          values: (_, splits) => splits.map((place) => (chart.labels[place] ? day(chart.labels[place], false) : "")),
        },
        {
          stroke: soft,
          font,
          size: 54,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          space: 44,
          ...(chart.unit === "count" ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7] } : {}),
          values: (_, splits) => splits.map((value) => written(value, chart, true)),
        },
      ],
      series,
      bands,
      hooks: {
        draw: [
          (self) => {
            const y = Math.round(self.valToPos(0, "y", true));
            self.ctx.save();
            self.ctx.strokeStyle = zero;
            self.ctx.lineWidth = signed ? 2 : 1;
            self.ctx.beginPath();
            self.ctx.moveTo(self.bbox.left, y);
            self.ctx.lineTo(self.bbox.left + self.bbox.width, y);
            self.ctx.stroke();
            self.ctx.restore();
          },
        ],
        setCursor: [
          (self) => {
            const place = self.cursor.idx ?? null;
            tip.show(place);
            if (place === null) return;
            const x = self.valToPos(place, "x") + self.over.offsetLeft;
            const left = x > element.clientWidth / 2 ? x - tip.box.offsetWidth - 12 : x + 12;
            tip.box.style.left = `${Math.max(0, Math.min(left, element.clientWidth - tip.box.offsetWidth))}px`;
          },
        ],
      },
    },
    data,
    element,
  );
  element.append(tip.box, live);
  drawn.set(element, plot);
  sizes.observe(element);
  const follow = (): void => {
    const place = plot.cursor.idx;
    const link = element.dataset["link"];
    const label = place === null || place === undefined ? undefined : chart.labels[place];
    if (link && label) window.location.assign(link.replaceAll("DAY", label));
  };
  const move = (place: number): void => {
    const to = Math.max(0, Math.min(place, chart.labels.length - 1));
    plot.setCursor({ left: plot.valToPos(to, "x"), top: 10 });
    live.textContent = reading(chart, to);
  };
  plot.over.addEventListener("click", follow);
  plot.over.classList.toggle("leads", element.dataset["link"] !== undefined);
  element.onkeydown = (event) => {
    const now = plot.cursor.idx ?? chart.labels.length;
    const steps: Record<string, number> = {
      ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: chart.labels.length - 1, PageUp: now - 7, PageDown: now + 7,
    };
    const to = steps[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter") follow();
    else if (event.key === "Escape") plot.setCursor({ left: -10, top: -10 });
    else return;
    event.preventDefault();
  };
}

function drawAll(): void {
  for (const element of drawn.keys()) {
    if (!element.isConnected) {
      drawn.get(element)?.destroy();
      drawn.delete(element);
      sizes.unobserve(element);
    }
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-plot]")) draw(element);
}

drawAll();
document.addEventListener("htmx:afterSettle", drawAll);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
