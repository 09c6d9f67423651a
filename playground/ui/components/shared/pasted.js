// What is pasted as code but is not only code: a notebook, prompts, line numbers, fences, quotation marks and brackets of a word processor or of a Chinese keyboard.

/** @type {Record<string, string>} */
const PLAIN = {
  "“": "\"", "”": "\"", "„": "\"", "‘": "'", "’": "'", "（": "(", "）": ")", "【": "[", "】": "]", "｛": "{", "｝": "}", "，": ",", "：": ":", "；": ";", "＝": "=", "＋": "+", "－": "-",
  "＊": "*", "／": "/", "＜": "<", "＞": ">", "。": ".", "＃": "#", "　": "  ", "\u00a0": " ", "\u200b": "", "\ufeff": "",
}
const QUOTES = ["\"\"\"", "'''", "\"", "'"]

/**
 * The code in a text from the clipboard. Code that is code already comes back unchanged.
 * @param {string} text
 */
export function cleaned(text) {
  const plain = text.replace(/\r\n?/g, "\n")
  return ofKeyboard(withoutNumbers(withoutPrompts(withoutFences(ofNotebook(plain) ?? plain))))
}

/**
 * The code cells of a notebook's file; null for another text.
 * @param {string} text
 */
function ofNotebook(text) {
  if (!text.trimStart().startsWith("{")) return null
  try {
    /** @type {{ cells?: { cell_type: string, source: string | string[] }[] }} */
    const { cells } = JSON.parse(text)
    if (!Array.isArray(cells)) return null
    const codes = cells.filter(({ cell_type: kind }) => kind === "code").map(({ source }) => (Array.isArray(source) ? source.join("") : String(source)).trimEnd())
    return `${codes.filter(Boolean).join("\n\n")}\n`
  } catch {
    return null
  }
}

/** @param {string} text with the code between lines of ``` */
function withoutFences(text) {
  const lines = text.split("\n")
  const fences = lines.flatMap((line, place) => (/^\s*```/.test(line) ? [place] : []))
  if (!fences.length) return text
  const isCode = (/** @type {number} */ place) => (fences.length === 1 ? !fences.includes(place) : fences.filter((fence) => fence < place).length % 2 === 1)
  return lines.filter((_, place) => !fences.includes(place) && isCode(place)).join("\n")
}

/** @param {string} text perhaps with the prompts of Python or of IPython, between which what was printed is left out */
function withoutPrompts(text) {
  const lines = text.split("\n")
  if (lines.some((line) => /^\s*>>> /.test(line))) {
    return lines.flatMap((line) => /^\s*(?:>>>|\.\.\.)(?: (.*))?$/.exec(line)?.slice(1).map((code) => code ?? "") ?? []).join("\n")
  }
  if (!lines.some((line) => /^In \[[\d ]*\]:/.test(line))) return text
  let isOutput = false
  return lines.flatMap((line) => {
    const prompt = /^(In|Out) ?\[[\d ]*\]: ?(.*)$/.exec(line)
    if (prompt) isOutput = prompt[1] === "Out"
    return isOutput ? [] : [prompt ? prompt[2] : line.replace(/^ {3,}\.\.\.: ?/, "")]
  }).join("\n")
}

/** @param {string} text perhaps with a number before each line, counting up */
function withoutNumbers(text) {
  const lines = text.split("\n")
  const numbered = lines.filter((line) => line.trim()).map((line) => /^\s*(\d+)(?:[.:|]|(?=\s)|$)/.exec(line))
  if (numbered.length < 3 || numbered.some((found, place) => Number(found?.[1]) !== Number(numbered[0]?.[1]) + place)) return text
  const rest = lines.map((line) => line.replace(/^\s*\d+[.:|]?/, ""))
  const margin = Math.min(...rest.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length))
  return rest.map((line) => line.slice(margin)).join("\n")
}

/**
 * Signs that Python does not know, outside of strings and comments, by those that it does.
 * @param {string} text
 */
function ofKeyboard(text) {
  let result = ""
  let quote = "" // the one that ends the string that has begun
  for (let place = 0; place < text.length; place += 1) {
    const sign = text[place]
    const known = PLAIN[sign] ?? sign
    if (quote && sign === "\\") result += sign + (text[(place += 1)] ?? "")
    else if (quote) {
      const ends = text.startsWith(quote, place) || (quote.length === 1 && known === quote && sign !== known && !text.slice(place + 1).split("\n")[0].includes(quote))
      if (ends) { result += quote; place += Math.max(1, text.startsWith(quote, place) ? quote.length : 1) - 1; quote = "" }
      else { result += sign; if (sign === "\n" && quote.length === 1) quote = "" }
    } else if (known === "#") {
      const end = text.indexOf("\n", place)
      result += `#${text.slice(place + 1, end < 0 ? undefined : end)}`
      place = (end < 0 ? text.length : end) - 1
    } else {
      quote = QUOTES.find((each) => text.startsWith(each, place) || (each === known && sign !== known)) ?? ""
      result += quote || known
      place += quote && sign === known ? quote.length - 1 : 0
    }
  }
  return result
}
