"use strict";
// Draws the panels of the data in the page. What fails here leaves the still picture to be seen.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  // The button says what it leads to.
  const theme = byId("theme");
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  let redrawAll = () => {};
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
    redrawAll();
  });
  dark.addEventListener("change", () => { nameTheme(); redrawAll(); });
  nameTheme();
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
  });

  const host = byId("charts");
  if (!host) return;
  const giveUp = (error) => {
    root.classList.add("still");
    byId("interactive").remove();
    document.querySelector(".static").classList.remove("static");
    console.error("the charts could not be drawn", error);
  };

  const data = JSON.parse(byId("chart-data").textContent);
  const end = data.end;
  const shown = { faults: true, phases: true };
  const charts = [];
  let range = { min: 0, max: end };

  // Colours come from the style sheet, which knows the scheme.
  const probe = host.appendChild(document.createElement("i"));
  probe.hidden = true;
  const tone = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const number = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
  const tick = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3, notation: "compact" });
  const clock = (s) => {
    if (end <= 300) return `${Number(s.toFixed(2))} s`;
    const two = (n) => String(n).padStart(2, "0");
    const all = Math.round(s);
    const [h, m, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
    return h || end > 7200 ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
  };
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800];

  // What is above the others is drawn first, so that each covers the part below it.
  const stacked = (panel, hidden) => {
    const rows = panel.series.map((one) => one.values);
    let sum = panel.t.map(() => 0);
    const tops = rows.map((values, at) => {
      if (hidden.has(panel.series[at].name)) return values.map(() => null);
      sum = sum.map((all, i) => all + (values[i] || 0));
      return sum.map((all, i) => (values[i] === null ? null : all));
    });
    return [panel.t, ...tops.reverse()];
  };
  const table = (panel, hidden) =>
    (panel.kind === "stack" ? stacked(panel, hidden) : [panel.t, ...panel.series.map((one) => one.values)]);
  const drawn = (panel) => (panel.kind === "stack" ? [...panel.series].reverse() : panel.series);

  const clipped = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

  // Names that have no room are left out; their marks stay.
  const names = (u, list, top, rows, color, weight) => {
    const { ctx, bbox } = u;
    const free = Array(rows).fill(-Infinity);
    const size = 11 * uPlot.pxRatio;
    ctx.font = `${weight} ${size}px system-ui, NanumGothic, sans-serif`;
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    ctx.fillStyle = color;
    for (const { at, name } of list) {
      const x = Math.max(at, bbox.left) + 3 * uPlot.pxRatio;
      const text = clipped(name, 24);
      const wide = ctx.measureText(text).width;
      const row = free.findIndex((until) => until <= x);
      if (row < 0 || at > bbox.left + bbox.width || x + wide > u.ctx.canvas.width) continue;
      free[row] = x + wide + size / 2;
      ctx.fillText(text, x, top + row * size * 1.25);
    }
  };

  const marks = (u) => {
    const { ctx, bbox } = u;
    const ratio = uPlot.pxRatio;
    const place = (s) => u.valToPos(s, "x", true);
    const line = (x) => { ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke(); };
    const { min, max } = u.scales.x;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = ratio;
    const faults = data.faults.filter((one) => one.to >= min && one.from <= max);
    if (shown.faults) {
      const color = tone("fault");
      for (const one of faults) {
        const [from, to] = [place(one.from), place(one.to)];
        ctx.fillStyle = color;
        ctx.strokeStyle = color;
        ctx.globalAlpha = 0.14;
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
        ctx.globalAlpha = 0.7;
        ctx.setLineDash([]);
        line(from);
        line(to);
        ctx.globalAlpha = 1;
      }
      const list = faults.map((one) => ({ at: place(one.from), name: `⚡ ${one.name}` }));
      names(u, list, bbox.top + 3 * ratio, 3, color, 600);
    }
    if (shown.phases) {
      ctx.strokeStyle = tone("mark");
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      const phases = data.phases.filter((one) => one.from >= min && one.from <= max);
      for (const one of phases) if (one.from > 0) line(place(one.from));
      ctx.restore();
      ctx.save();
      const list = data.phases.filter((one) => one.from <= max && one.to >= min);
      names(u, list.map((one) => ({ at: place(one.from), name: one.name })), bbox.top - 15 * ratio, 1, tone("muted"), 400);
    }
    ctx.restore();
  };

  const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5]];
  const build = (panel, state) => {
    const key = isDark() ? "dark" : "light";
    const stack = panel.kind === "stack";
    const list = drawn(panel);
    const value = (one) => (u, _, at, i) => {
      if (i === null || i === undefined) return "";
      const known = one.values[i];
      return known === null || known === undefined ? "–" : `${number.format(known)}${one.unit ? ` ${one.unit}` : ""}`;
    };
    const series = [{ label: "Time", value: (u, s) => (s === null || s === undefined ? "" : clock(s)) }];
    list.forEach((one, at) => series.push({
      label: one.name,
      show: !state.hidden.has(one.name),
      scale: one.right ? "right" : "y",
      stroke: one[key],
      fill: stack ? one[key] : one.filled ? `${one[key]}2a` : undefined,
      width: stack ? 0 : 1.75,
      dash: stack ? undefined : dashes[at % dashes.length],
      value: value(one),
      points: { show: false },
    }));
    const linear = (u, low, high) => {
      const bottom = Math.min(0, low ?? 0);
      const top = Math.max(0, high ?? 0);
      return [bottom * 1.08, top > 0 ? top * 1.12 : 1];
    };
    const [ink, grid] = [tone("muted"), tone("grid")];
    const font = "11px system-ui, sans-serif";
    const axis = (more) => ({ stroke: ink, font, labelFont: font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, ...more });
    const amounts = (u, splits) => splits.map((one) => (one === null ? "" : tick.format(one)));
    const axes = [
      axis({ incrs: steps, space: 56, size: 30, values: (u, splits) => splits.map(clock), grid: { show: false } }),
      axis({ scale: "y", size: 46, space: 32, values: amounts }),
    ];
    if (list.some((one) => one.right)) {
      axes.push(axis({ scale: "right", side: 1, size: 42, space: 32, values: amounts, grid: { show: false } }));
    }
    const log = panel.kind === "times" && state.log;
    const setScale = (u, scale) => {
      if (scale !== "x") return;
      const { min, max } = u.scales.x;
      if (min === range.min && max === range.max) return;
      range = { min, max };
      charts.forEach((other) => other.plot !== u && other.plot.setScale("x", { min, max }));
      zoomed();
    };
    const setSeries = (u, at, change) => {
      if (at === null || change.show === undefined) return;
      const name = list[at - 1].name;
      state.hidden[change.show ? "delete" : "add"](name);
      if (stack) u.setData(table(panel, state.hidden), false);
      if (stack) u.redraw(true, false);
      label(u);
    };
    const options = {
      width: state.box.clientWidth || 320,
      height: innerWidth < 640 ? 190 : 220,
      padding: [18, list.some((one) => one.right) ? 0 : 12, 0, 0],
      series,
      axes,
      scales: {
        x: { time: false, min: range.min, max: range.max, auto: false },
        y: log ? { distr: 3, auto: true } : { auto: true, range: linear },
        right: { auto: true, range: linear },
      },
      cursor: {
        y: false,
        points: { show: !stack, size: 7 },
        drag: { x: true, y: false, dist: 6 },
        sync: { key: "run", setSeries: false, scales: ["x", null] },
        bind: { dblclick: () => () => { toRange(0, end); return null; } },
      },
      legend: { markers: { width: 2, fill: (u, at) => (stack ? list[at - 1][key] : "transparent"), dash: (u, at) => (stack ? "solid" : ["solid", "dashed", "dotted", "dashed", "dashed"][(at - 1) % 5]) } },
      hooks: { draw: [marks], setScale: [setScale], setSeries: [setSeries] },
    };
    const plot = new uPlot(options, table(panel, state.hidden), state.box);
    label(plot);
    return plot;
  };
  // The legend is worked by keys too, and says what is hidden.
  const label = (plot) => {
    plot.root.querySelectorAll(".u-legend .u-series").forEach((row, at) => {
      const head = row.querySelector("th");
      if (at === 0 || !head) return;
      head.tabIndex = 0;
      head.setAttribute("role", "button");
      head.setAttribute("aria-pressed", String(plot.series[at].show));
      head.title = plot.series[at].show ? "Hide" : "Show";
      head.onkeydown = (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        head.click();
      };
    });
  };

  const reset = byId("reset");
  const zoom = byId("zoom");
  const zoomed = () => { reset.disabled = range.min <= 0 && range.max >= end; };
  const toRange = (min, max) => charts.forEach((one) => one.plot.setScale("x", { min, max }));
  const spans = [{ name: "the whole run", from: 0, to: end }];
  data.phases.forEach((one) => spans.push({ name: `phase ${one.name}`, from: one.from, to: Math.min(one.to, end) }));
  data.faults.forEach((one) => {
    const around = Math.max((one.to - one.from) * 0.5, 2);
    spans.push({ name: `fault ${one.name}`, from: Math.max(0, one.from - around), to: Math.min(end, one.to + around) });
  });
  spans.forEach((one) => zoom.add(new Option(clipped(one.name, 40))));
  zoom.addEventListener("change", () => toRange(spans[zoom.selectedIndex].from, spans[zoom.selectedIndex].to));
  reset.addEventListener("click", () => { zoom.selectedIndex = 0; toRange(0, end); });

  const remake = (one) => {
    one.plot.destroy();
    one.plot = build(one.panel, one.state);
  };
  redrawAll = () => charts.forEach(remake);
  const toggled = (id, name) => {
    const box = byId(id);
    box.checked = true;
    box.addEventListener("change", () => {
      shown[name] = box.checked;
      charts.forEach((one) => one.plot.redraw(false, false));
    });
    if (!data[name].length) box.parentElement.hidden = true;
  };

  try {
    for (const panel of data.panels) {
      const figure = host.appendChild(document.createElement("figure"));
      const title = figure.appendChild(document.createElement("h3"));
      title.textContent = panel.title;
      const box = figure.appendChild(document.createElement("div"));
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${panel.title}: chart of ${panel.series.map((one) => one.name).join(", ")} over ${clock(end)}`);
      const all = panel.series.flatMap((one) => one.values).filter((one) => one > 0);
      const far = all.length > 0 && Math.max(...all) > 20 * Math.min(...all);
      const state = { hidden: new Set(), log: far, box };
      charts.push({ panel, state, plot: build(panel, state) });
    }
    toggled("show-faults", "faults");
    toggled("show-phases", "phases");
    const logarithmic = byId("logarithmic");
    const times = charts.filter((one) => one.panel.kind === "times");
    logarithmic.checked = times.some((one) => one.state.log);
    logarithmic.addEventListener("change", () => times.forEach((one) => {
      one.state.log = logarithmic.checked;
      remake(one);
    }));
    if (!times.length) logarithmic.parentElement.hidden = true;
    let wide = host.clientWidth;
    new ResizeObserver(() => {
      if (host.clientWidth === wide || host.clientWidth === 0) return;
      wide = host.clientWidth;
      charts.forEach((one) => one.plot.setSize({ width: one.state.box.clientWidth, height: one.plot.height }));
    }).observe(host);
  } catch (error) {
    giveUp(error);
  }
})();
