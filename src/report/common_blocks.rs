//! The blocks of all hosts, each kept once: which ones hosts have in common.

use std::collections::BTreeMap;

use super::block::Block;
use super::own_name::OwnWords;

/// Blocks by number, each once.
#[derive(Debug, Default)]
pub(super) struct Book {
    blocks: Vec<Block>,
    numbers: BTreeMap<Block, usize>,
    /// How many hosts have a block to the letter.
    as_written: BTreeMap<usize, usize>,
    /// How many hosts have a block once their own words are replaced.
    as_replaced: BTreeMap<usize, usize>,
}

/// The blocks of one host.
pub(super) struct HostBlocks {
    /// What is its own.
    pub own: OwnWords,
    steps: Vec<Forms>,
    remarks: Vec<Forms>,
}

/// The numbers of a block: as it is written, and with the host's own words replaced.
#[derive(Debug, Clone, Copy)]
struct Forms {
    written: usize,
    replaced: usize,
}

impl Book {
    /// Enters the blocks of a host.
    pub(super) fn enter(
        &mut self,
        own: OwnWords,
        steps: Vec<Block>,
        remarks: Vec<Block>,
    ) -> HostBlocks {
        HostBlocks {
            steps: steps.into_iter().map(|it| self.forms(it, &own)).collect(),
            remarks: remarks.into_iter().map(|it| self.forms(it, &own)).collect(),
            own,
        }
    }

    fn forms(&mut self, block: Block, own: &OwnWords) -> Forms {
        let replaced = block.map(|text| own.replaced(text));
        let (written, replaced) = (self.number(block), self.number(replaced));
        *self.as_written.entry(written).or_default() += 1;
        *self.as_replaced.entry(replaced).or_default() += 1;
        Forms { written, replaced }
    }

    fn number(&mut self, block: Block) -> usize {
        if let Some(number) = self.numbers.get(&block) {
            return *number;
        }
        let number = self.blocks.len();
        self.blocks.push(block.clone());
        self.numbers.insert(block, number);
        number
    }

    /// The numbers of a host's steps, once all hosts are entered.
    pub(super) fn steps(&self, host: &HostBlocks) -> Vec<usize> {
        host.steps.iter().map(|it| self.common(*it)).collect()
    }

    /// The same of its remarks.
    pub(super) fn remarks(&self, host: &HostBlocks) -> Vec<usize> {
        host.remarks.iter().map(|it| self.common(*it)).collect()
    }

    /// The form in which more hosts have the block. A list of all hosts has each host's name in it, and is the same
    /// text on all of them only as it is written.
    fn common(&self, forms: Forms) -> usize {
        let of = |counts: &BTreeMap<usize, usize>, form| counts.get(form).copied().unwrap_or(0);
        if of(&self.as_written, &forms.written) > of(&self.as_replaced, &forms.replaced) {
            forms.written
        } else {
            forms.replaced
        }
    }

    /// A block by its number.
    pub(super) fn block(&self, number: usize) -> &Block {
        // Every number is one that this book has given.
        &self.blocks[number]
    }

    /// About how many lines a block takes; the text of a file that is printed elsewhere takes one.
    pub(super) fn rows(&self, number: usize) -> usize {
        let block = self.block(number);
        let body = match block.is_text {
            true => block.body.len().min(1),
            false => block.body.len(),
        };
        1 + body
    }
}
