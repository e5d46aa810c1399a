import { ThreadWorker } from 'poolifier'
export default new ThreadWorker(() => 0, { maxInactiveTime: 60_000 })
