for (const figure of document.querySelectorAll("figure.chart")) {
  const live = figure.querySelector(".live");
  const spec = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
  vegaEmbed(live, spec, options).then(
    () => {
      live.classList.add("drawn");
      figure.querySelector(".static").hidden = true;
    },
    (error) => console.error(error),
  );
}
