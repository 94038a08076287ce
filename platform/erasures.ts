/** The channel on which it is told that somebody's account was deleted; a hint only, what there is to do is in the graph. */
export const erasureChannel = 'erasures'
