/** Metadata of a packet whose `data` is a list: an array of items, each as the packet's media say. Set by the driver. */
export const LIST_MARK = 'millrace.list'
