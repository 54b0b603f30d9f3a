//! Sessions that wait for an account to change: 100,000 of them idle, so each costs a waker and little more.

use std::task::Waker;

/// Where a watcher's waker is kept: valid for one round only, since each change wakes and forgets all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    round: u64,
    index: usize,
}

/// The wakers of those who wait for the next change.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    round: u64,
    wakers: Vec<Option<Waker>>,
    /// Indexes left by those who went away, so that coming and going without a change does not grow the list.
    free: Vec<usize>,
}

impl Watchers {
    /// Remembers to wake `waker` at the next change, in the place it had before if that is still its own. Answers what was there:
    /// to be dropped outside of any lock, since that may run anything.
    #[must_use]
    pub(crate) fn watch(&mut self, place: &mut Option<Place>, waker: &Waker) -> Option<Waker> {
        if let Some(Place { round, index }) = *place
            && round == self.round
        {
            return self.wakers[index].replace(waker.clone());
        }
        let index = self.free.pop().unwrap_or(self.wakers.len());
        if index == self.wakers.len() {
            self.wakers.push(None);
        }
        self.wakers[index] = Some(waker.clone());
        *place = Some(Place { round: self.round, index });
        None
    }

    /// Forgets a watcher that goes away. Answers its waker, to be dropped outside of any lock.
    #[must_use]
    pub(crate) fn leave(&mut self, place: Place) -> Option<Waker> {
        if place.round != self.round {
            return None;
        }
        self.free.push(place.index);
        self.wakers[place.index].take()
    }

    /// Begins a new round; whoever watched is to be woken, outside of any lock.
    pub(crate) fn take(&mut self) -> Vec<Option<Waker>> {
        self.round += 1;
        self.free = Vec::new();
        std::mem::take(&mut self.wakers)
    }

    /// How many wait.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.wakers.len() - self.free.len()
    }
}

/// Wakes those taken.
pub(crate) fn wake_all(wakers: Vec<Option<Waker>>) {
    for waker in wakers.into_iter().flatten() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_and_going_takes_no_more_room_than_those_who_stay() {
        let mut watchers = Watchers::default();
        let mut stays = None;
        drop(watchers.watch(&mut stays, Waker::noop()));
        for _ in 0..1_000 {
            let mut goes = None;
            drop(watchers.watch(&mut goes, Waker::noop()));
            drop(watchers.watch(&mut goes, Waker::noop()));
            drop(watchers.leave(goes.unwrap()));
        }
        assert_eq!((watchers.len(), watchers.wakers.len()), (1, 2));
    }

    #[test]
    fn a_place_of_an_earlier_round_is_nobodys_to_leave() {
        let mut watchers = Watchers::default();
        let (mut early, mut late) = (None, None);
        drop(watchers.watch(&mut early, Waker::noop()));
        assert_eq!(watchers.take().into_iter().flatten().count(), 1);
        drop(watchers.watch(&mut late, Waker::noop()));
        assert!(watchers.leave(early.unwrap()).is_none());
        assert_eq!(watchers.take().into_iter().flatten().count(), 1);
    }
}
