// Stands before every component's script, which defines `load()`: it answers the class of the component's view, once its parts are there.
// Streamlit calls what is exported whenever the page is written. A view is made once for its place on the page, is given all that is new
// by `update(component)`, and ends with `close()`, if it has one, when its place goes.

const part = (name) => import(new URL(`parts/${name}.js`, document.baseURI).href)
const views = new WeakMap()
let loading

export default function (component) {
  const root = component.parentElement
  const place = views.get(root) ?? {}
  views.set(root, place)
  place.latest = component
  if (place.view) place.view.update(component)
  else show(root, place)
  return () => {
    place.view?.close?.()
    views.delete(root)
  }
}

async function show(root, place) {
  const View = await (loading ??= load())
  if (place.view || views.get(root) !== place) return
  place.view = new View(root)
  place.view.update(place.latest)
}
