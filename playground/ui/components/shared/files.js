// Files that a browser saves.

/**
 * Save a picture as SVG, or drawn as PNG at twice its size.
 * @param {string} svg
 * @param {string} name of the file, without its ending
 * @param {"svg" | "png"} kind
 */
export function savePicture(svg, name, kind) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }))
  if (kind === "svg") return download(url, `${name}.svg`)
  const image = new Image()
  image.onload = () => {
    const canvas = document.createElement("canvas")
    canvas.width = 2 * image.width
    canvas.height = 2 * image.height
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
    pen.fillStyle = "#FFFFFF"
    pen.fillRect(0, 0, canvas.width, canvas.height)
    pen.drawImage(image, 0, 0, canvas.width, canvas.height)
    canvas.toBlob((blob) => { if (blob) download(URL.createObjectURL(blob), `${name}.png`) }, "image/png") // none of a picture too large for the browser
    URL.revokeObjectURL(url)
  }
  image.src = url
}

/**
 * @param {string} text
 * @param {string} name of the file
 * @param {string} [kind] its media type
 */
export function saveText(text, name, kind = "text/plain") {
  download(URL.createObjectURL(new Blob([text], { type: kind })), name)
}

/**
 * @param {string} url
 * @param {string} name of the file
 */
function download(url, name) {
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}
