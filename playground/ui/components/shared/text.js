// Texts in the reader's language. English is the key of every translation, as in Python's playground/messages.py.

/** @typedef {Record<string, string | string[]>} Catalogue translations by their English text; one that depends on a number has all its plural forms */

const ENGLISH = "en"
const PLACES = ["title", "aria-label", "placeholder", "alt", "label", "text"] // the last two belong to the elements of controls.js

/** The language that the server has chosen: it stands in a cookie. */
export const language = /(?:^|; )playground_language=([\w-]+)/.exec(globalThis.document?.cookie ?? "")?.[1] ?? ENGLISH
const catalogue = language === ENGLISH ? {} : await loaded()

/**
 * A text in the reader's language. The template is written out, never computed: so it is found for translation.
 * @param {string} template with a gap `{name}` for each value
 * @param {Record<string, unknown>} [values]
 */
export const t = (template, values = {}) => filled(one(catalogue[template]) ?? template, values)

/**
 * A text that depends on a number, `{n}`.
 * @param {string} single the template for the number one
 * @param {string} many the template for other numbers
 * @param {number} n
 * @param {Record<string, unknown>} [values]
 */
export function plural(single, many, n, values = {}) {
  const forms = catalogue[single]
  const english = n === 1 ? single : many
  return filled(Array.isArray(forms) ? (forms[form(n, forms.length)] ?? english) : english, { n, ...values })
}

/**
 * Translate the texts that the html of a component has.
 * @param {ParentNode} root
 */
export function translate(root) {
  if (language === ENGLISH) return
  for (const element of root.querySelectorAll("*")) {
    for (const place of PLACES) {
      const text = element.getAttribute(place)
      if (text) element.setAttribute(place, t(text))
    }
    for (const node of element.childNodes)
      if (node.nodeType === Node.TEXT_NODE) node.textContent = (node.textContent ?? "").replace(/\S(?:.*\S)?/s, (text) => t(text.replace(/\s+/g, " ")))
  }
}

/** @returns {Promise<Catalogue>} */
async function loaded() {
  document.documentElement.lang = language
  try {
    const response = await fetch(new URL(`api/text/${language}.json`, document.baseURI))
    if (response.ok) return await response.json()
    console.error(`There is no catalogue of “${language}”: ${response.status}.`)
  } catch (error) {
    console.error(error)
  }
  return {}
}

/** @param {string | string[] | undefined} text */
const one = (text) => (Array.isArray(text) ? text[0] : text)

/**
 * Which plural form a number takes: gettext counts them in the order in which Unicode's categories first occur.
 * @param {number} n
 * @param {number} count
 */
function form(n, count) {
  const rules = new Intl.PluralRules(language)
  const seen = [...new Set(Array.from({ length: 200 }, (_, number) => rules.select(number + 1)))]
  return Math.min(Math.max(seen.indexOf(rules.select(n)), 0), count - 1)
}

/**
 * @param {string} template
 * @param {Record<string, unknown>} values
 */
const filled = (template, values) => template.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap))
