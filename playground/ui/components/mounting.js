// Goes before every component's script, which defines `load()`: a promise of the class of the component's view.
// Streamlit calls the exported function whenever the page is drawn. A view is created once for its place on the page, gets new data
// through `update(component)`, and ends with `close()`, if it has one, when its place is removed. The function that is returned is called
// then, and also when newer data came while the script was still loading: the place stands in the document then, and its view stays.

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
    if (root.isConnected) return
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
