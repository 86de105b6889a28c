//! Rooms whose members come and go, compared with a model of who receives what.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rows;
use super::world::TestWorld;

/// Sockets that join rooms by name, in several forms, and follow a collection from its current rows on.
const TEXT: &str = "
data: { rows: [{ n: 0 }] }
websocket:
  /rooms:
    open: [{ reply: { rows: $rows } }, { join: { to: rows, where: { change: added }, frame: { row: $event.row } } }]
    messages:
      - { match: { join: 1 }, join: { to: $msg.to, as: $msg.as } }
      - { match: { join: 2 }, join: { to: $msg.to, as: $msg.as, frame: { got: $event } } }
      - { match: { join: 3 }, join: { to: $msg.to, as: $msg.as, frame: { got: $event, me: $conn.id } } }
      - match: { join: 4 }
        do: [{ join: { to: $msg.to, as: $msg.as } }, { remove: { rows: 999 } }]
      - { match: { leave: both }, leave: { to: $msg.to, as: $msg.as } }
      - { match: { leave: to }, leave: $msg.to }
      - { match: { leave: as }, leave: { as: $msg.as } }
      - match: { leave: not }
        do: [{ leave: { to: $msg.to, as: $msg.as } }, { leave: { as: $msg.as } }, { remove: { rows: 999 } }]
      - { match: { send: all }, send: { frame: $msg.frame } }
      - { match: { send: others }, send: { to: $msg.to, frame: $msg.frame, others: true } }
      - { match: { send: room }, send: { to: $msg.to, frame: $msg.frame } }
      - { match: { send: late }, do: [{ after: 1s, send: { to: $msg.to, frame: $msg.frame } }] }
";

const ROOMS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Act {
    Open(u64),
    Close(u64),
    /// A member, rooms as bits, a name, and a form. Form 4 is refused.
    Join(u64, usize, u8, u8),
    /// A member, rooms as bits, a name, and the way of leaving.
    Leave(u64, usize, u8, &'static str),
    /// A member, rooms as bits, and the recipients.
    Send(u64, usize, &'static str),
    Add,
    Pass,
}

fn act() -> impl Strategy<Value = Act> {
    let (member, rooms, name) = (1..4_u64, 1..8_usize, 0..2_u8);
    prop_oneof![
        2 => member.clone().prop_map(Act::Open),
        1 => member.clone().prop_map(Act::Close),
        5 => (member.clone(), rooms.clone(), name.clone(), 1..5_u8)
            .prop_map(|(member, rooms, name, form)| Act::Join(member, rooms, name, form)),
        3 => (member.clone(), rooms.clone(), name, prop::sample::select(vec!["both", "to", "as", "not"]))
            .prop_map(|(member, rooms, name, how)| Act::Leave(member, rooms, name, how)),
        5 => (member, rooms, prop::sample::select(vec!["all", "others", "room", "late"]))
            .prop_map(|(member, rooms, how)| Act::Send(member, rooms, how)),
        2 => Just(Act::Add),
        1 => Just(Act::Pass),
    ]
}

fn rooms(bits: usize) -> Vec<&'static str> {
    ROOMS.into_iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1).map(|(_, room)| room).collect()
}

/// A member's memberships by name: rooms and form.
type Memberships = BTreeMap<u8, (BTreeSet<&'static str>, u8)>;

/// The current members and the delayed frames.
#[derive(Default)]
struct Model {
    members: BTreeMap<u64, Memberships>,
    late: Vec<(u64, Vec<&'static str>, u64)>,
    sent: u64,
}

impl Model {
    /// Applies an act and returns what members receive, in any order.
    fn act(&mut self, act: &Act, row: &Value) -> Vec<String> {
        match act {
            Act::Open(_) => Vec::new(),
            Act::Close(member) => {
                self.members.remove(member);
                self.late.retain(|(of, ..)| of != member);
                Vec::new()
            }
            Act::Join(member, _, _, 4) | Act::Leave(member, _, _, "not") => {
                let is_there = self.members.contains_key(member);
                Vec::from_iter(is_there.then(|| format!("{member} failed: Row 999 not found in rows")))
            }
            Act::Join(member, bits, name, form) => {
                if let Some(memberships) = self.members.get_mut(member) {
                    memberships.insert(*name, (rooms(*bits).into_iter().collect(), *form));
                }
                Vec::new()
            }
            Act::Leave(member, bits, name, how) => {
                let rooms = rooms(*bits);
                let memberships = self.members.get_mut(member).into_iter().flatten();
                for (_, (joined, _)) in memberships.filter(|(of, _)| *how == "to" || *of == name) {
                    joined.retain(|room| *how != "as" && !rooms.contains(room));
                }
                Vec::new()
            }
            Act::Send(member, bits, how) => {
                if !self.members.contains_key(member) {
                    return Vec::new();
                }
                self.sent += 1;
                match *how {
                    "all" => self.members.keys().map(|to| format!("{to}: {}", self.sent)).collect(),
                    "late" => {
                        self.late.push((*member, rooms(*bits), self.sent));
                        Vec::new()
                    }
                    _ => self.sent_to(&rooms(*bits), self.sent, Some(*member).filter(|_| *how == "others")),
                }
            }
            Act::Add => self.members.keys().map(|member| format!("{member}: {}", json!({ "row": row }))).collect(),
            Act::Pass => {
                let late = std::mem::take(&mut self.late);
                late.iter().flat_map(|(_, rooms, frame)| self.sent_to(rooms, *frame, None)).collect()
            }
        }
    }

    /// Returns what members receive of a frame: each member of one of the rooms receives it once per form.
    fn sent_to(&self, rooms: &[&'static str], frame: u64, except: Option<u64>) -> Vec<String> {
        let mut got = Vec::new();
        for (member, memberships) in self.members.iter().filter(|(member, _)| Some(**member) != except) {
            let is_there = |joined: &BTreeSet<&str>| rooms.iter().any(|room| joined.contains(room));
            let forms: BTreeSet<u8> =
                memberships.values().filter(|(joined, _)| is_there(joined)).map(|(_, form)| *form).collect();
            got.extend(forms.into_iter().map(|form| match form {
                1 => format!("{member}: {frame}"),
                2 => format!("{member}: {}", json!({ "got": frame })),
                _ => format!("{member}: {}", json!({ "got": frame, "me": member })),
            }));
        }
        got
    }
}

fn carry_out(world: &mut TestWorld, act: &Act, frame: u64) -> Vec<String> {
    match act {
        Act::Open(member) => world.open("/rooms", *member),
        Act::Close(member) => world.close(*member),
        Act::Join(member, bits, name, form) => {
            world.send(*member, &json!({ "join": form, "to": rooms(*bits), "as": name }))
        }
        Act::Leave(member, bits, name, how) => {
            world.send(*member, &json!({ "leave": how, "to": rooms(*bits), "as": name }))
        }
        Act::Send(member, bits, how) => {
            world.send(*member, &json!({ "send": how, "to": rooms(*bits), "frame": frame }))
        }
        Act::Add => world.post(&json!([{ "add": { "rows": { "n": 1 } } }])),
        Act::Pass => world.pass(1),
    }
}

proptest! {
    #[test]
    fn restored_members_receive_the_same_frames(acts in prop::collection::vec(act(), 1..30)) {
        let (mut world, mut open) = (TestWorld::compared(TEXT), BTreeSet::new());
        for (act, frame) in acts.iter().zip(1..) {
            let is_valid = match act {
                Act::Open(member) => open.insert(*member),
                Act::Close(member) => open.remove(member),
                _ => true,
            };
            if is_valid {
                carry_out(&mut world, act, frame);
            }
        }
    }

    #[test]
    fn every_member_receives_its_frames_once(acts in prop::collection::vec(act(), 1..60)) {
        let (mut world, mut model) = (TestWorld::new(TEXT), Model::default());
        for act in acts {
            if let Act::Open(member) = act {
                if model.members.contains_key(&member) {
                    continue;
                }
                model.members.insert(member, Memberships::new());
                // The current rows come first, and added rows after them.
                let rows = json!({ "rows": rows(&world.engine, "rows") });
                prop_assert_eq!(world.open("/rooms", member), [format!("{member}: {rows}")]);
                continue;
            }
            let mut got = carry_out(&mut world, &act, model.sent + 1);
            let all = rows(&world.engine, "rows");
            let mut expected = model.act(&act, all.as_array().and_then(|rows| rows.last()).unwrap_or(&Value::Null));
            got.sort();
            expected.sort();
            prop_assert_eq!(got, expected, "{:?}", act);
        }
        for member in model.members.into_keys() {
            world.close(member);
        }
        prop_assert_eq!(world.engine.next_due(), None);
    }
}
