{
  // What a reader set stands in the page's address, as in #f3.measure=revenue, so that a view can
  // be linked. From there only values are taken that the chart's own controls offer.
  const given = new URLSearchParams(location.hash.slice(1));
  const kept = new URLSearchParams();
  const drawn = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };

  const parts = (spec) => [
    spec,
    ...["layer", "concat", "hconcat", "vconcat"].flatMap((key) => spec[key] || []).flatMap(parts),
    ...(spec.spec ? parts(spec.spec) : []),
  ];
  const inputs = (bind) => (bind.input ? [bind] : Object.values(bind));
  const isControl = ({ bind, select }) =>
    bind === "legend"
      ? Boolean(select)
      : Object(bind) === bind &&
        inputs(bind).every(({ input }) => ["select", "radio", "range", "checkbox"].includes(input));
  const offered = (bind, text) => {
    const options = bind.options || (bind.input === "checkbox" && [true, false]);
    if (options) return options.find((option) => String(option) === text);
    const number = parseFloat(text);
    return number >= (bind.min ?? 0) && number <= (bind.max ?? 100) ? number : undefined;
  };

  // Sets a parameter from the address; says whether anything fitted.
  const restore = (param, key, rows) => {
    const { bind, select } = param;
    if (!select) {
      const value = offered(bind, given.get(key));
      return value !== undefined && ((param.value = value), true);
    }
    const found = (select.fields || Object.keys(rows[0] || {})).flatMap((field) =>
      given
        .getAll(`${key}.${field}`)
        .map((text) =>
          bind === "legend"
            ? rows.map((row) => row[field]).find((value) => String(value) === text)
            : offered(bind[field] || bind, text),
        )
        .filter((value) => value !== undefined)
        .map((value) => ({ [field]: value })),
    );
    if (!found.length) return false;
    param.value = bind === "legend" ? found : [Object.assign({}, ...found)];
    return true;
  };

  const keep = (param, key, value) => {
    for (const old of [...kept.keys()]) {
      if (old === key || old.startsWith(`${key}.`)) kept.delete(old);
    }
    if (!param.select) kept.set(key, value);
    else
      for (const [field, values] of Object.entries(value)) {
        for (const each of Array.isArray(values) ? values : []) kept.append(`${key}.${field}`, each);
      }
    kept.sort();
    history.replaceState(history.state, "", `#${kept}`);
  };

  const draw = async (figure) => {
    const live = figure.querySelector(".live");
    const spec = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const rows = [spec.data?.values, ...Object.values(spec.datasets || {})].flat().filter(Boolean);
    const controls = parts(spec)
      .flatMap((part) => part.params || [])
      .filter(isControl)
      .map((param) => [param, `f${figure.id.replace("figure-", "")}.${param.name}`]);
    const restored = controls.filter(([param, key]) => restore(param, key, rows));
    const { view } = await vegaEmbed(live, spec, drawn);
    for (const [param, key] of restored) keep(param, key, view.signal(param.name));
    for (const [param, key] of controls) {
      view.addSignalListener(param.name, (_, value) => keep(param, key, value));
    }
    live.classList.add("drawn");
    figure.querySelector(".static").hidden = true;
    return restored.length > 0;
  };

  const start = async () => {
    const packed = atob(document.getElementById("vega").textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(plain).text();
    document.head.append(script);
    const figures = [...document.querySelectorAll("figure.chart")];
    const fails = (error) => console.error(error);
    const restored = await Promise.all(figures.map((figure) => draw(figure).catch(fails)));
    if (!scrollY) figures[restored.indexOf(true)]?.scrollIntoView();
  };

  // The pictures stay where a browser cannot unpack.
  if ("DecompressionStream" in window) start();
  addEventListener("hashchange", () => location.hash.includes("=") && location.reload());
}
