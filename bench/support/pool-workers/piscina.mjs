export default () => 0
