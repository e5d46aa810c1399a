/** A file's text, as Vite gives it to tests in Node and in pages. */
declare module '*?raw' {
  const text: string
  export default text
}
