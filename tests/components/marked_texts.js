// A rule of ESLint: every text for people is a template written out in t() or plural() of shared/text.js, so that it is found for translation.
// A line that ends with `// no text: <why>` is left out. Single words and phrases in lower case are not found: they look like names and keys.
// In a template of html`…` every word is found, between tags and in the attributes that people read; a name that is no text is a value there: ${"torch"}.

const TEMPLATES = { t: 1, plural: 2 } // how many of the first arguments are templates
const EXCEPTION = /\/\/ no text: \S/
const GAP = "\0" // where a template literal has an expression
const CAPITAL = /^\P{L}*\p{Lu}/u
const SENTENCE_MARK = /[.!?…:;](?:\s|$)/
const LETTER = /\p{L}/u
const TAG = /<(?:"[^"]*"|'[^']*'|[^"'>])*>/g
const READ = /\s(?:title|aria-label|placeholder|alt|label|text)=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g // as in shared/text.js
const ENTITY = /&#?\w+;/g
const WORD = /^\p{P}*\p{L}[\p{L}’]+\p{P}*$/u

/** Whether a text reads like prose: two words or more, and a capital letter at the start or a sentence mark. */
export function isProse(text) {
  const parts = text.split(/\s+/)
  const words = parts.filter((part) => WORD.test(part)).length
  const gaps = parts.filter((part) => part.includes(GAP)).length
  return words > 0 && words + gaps > 1 && (CAPITAL.test(text) || SENTENCE_MARK.test(text))
}

/** What people read in a template of html. */
export function textsOfHtml(html) {
  const attributes = [...html.matchAll(TAG)].flatMap(([tag]) => [...tag.matchAll(READ)].map(([, ...values]) => values.join("")))
  return [...html.split(TAG), ...attributes].map((text) => text.trim()).filter((text) => LETTER.test(text.replace(ENTITY, "")))
}

/** Whether a node is a template of html. */
const isHtml = ({ parent }) => parent.type === "TaggedTemplateExpression" && parent.tag.name === "html"

/** Whether a node is a text in double quotes, for which the catalogue's tool searches. */
const isTemplate = ({ type, value, raw }) => type === "Literal" && typeof value === "string" && raw.startsWith('"')

/** The templates of a call of t() or plural(); none of any other node. */
const templatesOf = ({ type, callee, arguments: given }) => (type === "CallExpression" && callee.type === "Identifier" ? given.slice(0, TEMPLATES[callee.name] ?? 0) : [])

/** Whether what is in a node is for developers: a line for the console, an error. */
function isForDevelopers({ type, callee }) {
  if (type === "CallExpression") return callee.type === "MemberExpression" && callee.object.name === "console"
  return type === "NewExpression" && callee.type === "Identifier" && callee.name === "Error"
}

/** Whether a node is the address of a module. */
const isAddress = ({ parent }) => /^(?:Import|Export(?:Named|All))/.test(parent.type)

export default {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      unmarked: "“{{text}}” is a text for people: give it to t() or plural(), or end the line with “// no text: <why>”.",
      computed: "Write the template of {{marker}}() out in double quotes, with a gap “{name}” for each value: otherwise it is not found for translation.",
    },
  },

  create(context) {
    const { lines } = context.sourceCode

    function look(node, text) {
      if (isProse(text) && !templatesOf(node.parent).includes(node)) report(node, text)
    }

    function report(node, text) {
      if (isAddress(node) || context.sourceCode.getAncestors(node).some(isForDevelopers)) return
      if (lines.slice(node.loc.start.line - 1, node.loc.end.line).some((line) => EXCEPTION.test(line))) return
      context.report({ node, messageId: "unmarked", data: { text: text.replaceAll(GAP, "…") } })
    }

    return {
      Literal(node) { if (typeof node.value === "string") look(node, node.value) },
      TemplateLiteral(node) {
        const text = node.quasis.map(({ value }) => value.cooked).join(GAP)
        if (isHtml(node)) textsOfHtml(text).forEach((each) => report(node, each))
        else look(node, text)
      },
      CallExpression(node) {
        for (const each of templatesOf(node)) if (!isTemplate(each)) context.report({ node: each, messageId: "computed", data: { marker: node.callee.name } })
      },
    }
  },
}
