//! A host that runs POSIX sh: one program for each exchange, one framed answer.
//!
//! A [`Shell`] carries the program (ssh2, the system's ssh, this host).
//! Observing writes nothing on the host. Applying is one payload, which the host completes even if the connection ends.

mod access_checks;
mod answer;
mod apply;
mod data;
mod errors;
mod evidence;
mod frame;
mod lookups;
mod observe;
mod outcome;
mod paths;
mod service_orders;
mod values;
mod ways;

use async_io::block_on;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::exchange::Failure;
use crate::machine::services;
use crate::machine::{
    Apply, Evidence, EvidenceQuestion, MachineError, NotDone, Observe, Observed, Orders, Performed,
    PostmapAnswer, Questions, TableQuestion,
};
use crate::secret::Secrets;
use crate::service::Service;
use crate::task::Task;
use crate::transport::{ExchangeLimits, ProgramExit, ProgramRequest, ProgramResponse, Shell};

/// How many times to observe a host whose files change while they are read.
const LOOKS: u32 = 3;

/// The longest silence where no manifest gives one, in seconds.
const COMMAND_TIMEOUT: u64 = 120;

/// A host behind a shell.
pub struct Remote {
    shell: Box<dyn Shell>,
    sh: String,
    fault: String,
    /// What no word of the host may show.
    secrets: Secrets,
    /// The longest silence of the host (`ssh.command_timeout`).
    command_timeout: Duration,
}

impl Remote {
    /// A machine over a way to run programs on a host as root.
    #[must_use]
    pub fn new(shell: Box<dyn Shell>) -> Self {
        Self {
            shell,
            sh: "sh".to_owned(),
            fault: String::new(),
            secrets: Secrets::default(),
            command_timeout: Duration::from_secs(COMMAND_TIMEOUT),
        }
    }

    /// Gives the host another time for its answers: the longest silence, from which the other limits follow.
    #[must_use]
    pub fn with_command_timeout(mut self, command_timeout: Duration) -> Self {
        self.command_timeout = command_timeout;
        self
    }

    /// Runs the programs with this shell instead of the host's `sh`: `bash`, `busybox sh`.
    #[must_use]
    pub fn with_sh(mut self, sh: impl Into<String>) -> Self {
        self.sh = sh.into();
        self
    }

    /// Masks these secrets in everything that the host says.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Makes every apply meet a fault, for tests: `kill:K` kills the worker at its K-th fault
    /// point (one stands before and one after every step), `fail:K` makes the step there fail,
    /// and `count` only adds `points K` to the log.
    #[must_use]
    pub fn with_fault(mut self, fault: impl Into<String>) -> Self {
        self.fault = fault.into();
        self
    }
}

impl Observe for Remote {
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        block_on(self.look(questions))
    }

    fn observing<'a>(
        &'a mut self,
        questions: &'a Questions,
    ) -> Task<'a, Result<Observed, MachineError>> {
        Box::pin(self.look(questions))
    }

    fn witnessing<'a>(
        &'a mut self,
        question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>> {
        Box::pin(self.witness(question))
    }

    fn looking_up<'a>(
        &'a mut self,
        question: &'a TableQuestion,
    ) -> Task<'a, Result<Vec<PostmapAnswer>, MachineError>> {
        Box::pin(self.look_up(question))
    }
}

impl Remote {
    /// Observes the services that are asked for in one exchange, and in another one those that only the ledger names: nearly
    /// always there are none.
    async fn look(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        let asked = services::all_asked(questions);
        let mut looks = Vec::new();
        for (service, look) in asked
            .iter()
            .zip(self.look_until_still(questions, &asked).await?)
        {
            looks.push(look.ok_or_else(|| services::missing(service))?);
        }
        let mut observed =
            services::joined(looks).ok_or_else(|| services::missing(&Service::POSTFIX))?;
        let unseen = services::unseen(&observed.live);
        if !unseen.is_empty() {
            // An instance that was destroyed since is for the plan to judge.
            let looks = self.look_until_still(questions, &unseen).await?;
            for more in looks.into_iter().flatten() {
                services::add(&mut observed, more);
            }
        }
        observed.resolve_hashes(questions);
        Ok(observed)
    }

    /// What the host says of each service; none of one that it does not have.
    async fn look_until_still(
        &mut self,
        questions: &Questions,
        services: &[Service],
    ) -> Result<Vec<Option<Observed>>, MachineError> {
        let mut tries = 1;
        loop {
            match self.look_once(questions, services).await {
                // Another apply is renaming its files into place, which takes a moment.
                Err(error) if answer::was_moving(&error) && tries < LOOKS => tries += 1,
                done => break done,
            }
        }
    }

    async fn witness(&mut self, question: &EvidenceQuestion) -> Result<Evidence, MachineError> {
        let nonce = frame::nonce();
        let program = evidence::program(question, &nonce);
        let head = self.head_of(program, &nonce).await?;
        Ok(evidence::understand(&head, &self.secrets))
    }

    async fn look_up(
        &mut self,
        question: &TableQuestion,
    ) -> Result<Vec<PostmapAnswer>, MachineError> {
        let nonce = frame::nonce();
        let program = lookups::program(question, &nonce);
        let head = self.head_of(program, &nonce).await?;
        Ok(lookups::understand(&head, &self.secrets))
    }

    /// Runs a program whose answer is a head alone, and gives the head.
    async fn head_of(&mut self, program: String, nonce: &str) -> Result<Vec<u8>, MachineError> {
        let request = ProgramRequest {
            command: format!("{} -s", self.sh),
            stdin: Zeroizing::new(program.into_bytes()),
            limits: ExchangeLimits::observation(self.command_timeout, false),
        };
        let scrub = |error: MachineError| error.map(|one| one.scrubbed_whole(&self.secrets));
        let response = self.shell.exchanging(&request).await.map_err(scrub)?;
        let frame = frame::unframe(&response.stdout, nonce)
            .map_err(|broken| no_answer(broken, &response))
            .map_err(scrub)?;
        Ok(frame.head.to_vec())
    }

    async fn look_once(
        &mut self,
        questions: &Questions,
        services: &[Service],
    ) -> Result<Vec<Option<Observed>>, MachineError> {
        let named = with_nonces(services);
        let program = observe::program(questions, &named, self.command_timeout);
        let request = ProgramRequest {
            command: format!("{} -s", self.sh),
            stdin: Zeroizing::new(program.into_bytes()),
            limits: ExchangeLimits::observation(self.command_timeout, questions.history.is_some()),
        };
        let scrub = |error: MachineError| error.map(|one| one.scrubbed_whole(&self.secrets));
        let response = self.shell.exchanging(&request).await.map_err(scrub)?;
        let understood = |(service, nonce): &(Service, String)| {
            let frame = frame::unframe(&response.stdout, nonce)
                .map_err(|broken| no_answer(broken, &response))
                .map_err(|error| error.map(|one| one.scrubbed(&self.secrets)))?;
            if answer::instance::is_missing(&frame) {
                return Ok(None);
            }
            answer::understand(&frame, questions, service, &self.secrets).map(Some)
        };
        named.iter().map(understood).collect()
    }
}

impl Apply for Remote {
    fn perform(
        &mut self,
        orders: &Orders,
        questions: Option<&Questions>,
    ) -> Result<Performed, MachineError> {
        let nonce = frame::nonce();
        // The observation that proves the work goes with it, and saves the round trips of one of its own.
        let proof =
            questions.map(|questions| (questions, with_nonces(&services::all_asked(questions))));
        let look = proof.as_ref().map(|(questions, services)| {
            observe::program(questions, services, self.command_timeout)
        });
        let payload = match apply::payload(orders, &nonce, &self.sh, &self.fault, look.as_deref()) {
            Ok(payload) => payload,
            Err(error) => return Ok(Performed::without_log(NotDone::Untouched { error })),
        };
        let mut secrets = self.secrets.clone();
        secrets.extend(&orders.secrets);
        let request = ProgramRequest {
            command: payload.command,
            stdin: payload.bytes,
            limits: ExchangeLimits::apply(self.command_timeout),
        };
        let whole = |error: MachineError| error.map(|one| one.scrubbed_whole(&secrets));
        let response = self.shell.exchange(&request).map_err(whole)?;
        let mut performed = outcome::understand(&response, &nonce, &secrets)
            .map_err(|error| error.map(|one| one.scrubbed(&secrets)))?;
        performed.seen = proof.and_then(|(questions, services)| {
            let looks = services.iter().map(|(service, nonce)| {
                let frame = frame::unframe(&response.stdout, nonce).ok()?;
                answer::understand(&frame, questions, service, &secrets).ok()
            });
            let seen = services::joined(looks.collect::<Option<Vec<_>>>()?)?;
            services::unseen(&seen.live).is_empty().then_some(seen)
        });
        Ok(performed)
    }
}

/// Each service with the nonce of its answer.
fn with_nonces(services: &[Service]) -> Vec<(Service, String)> {
    let named = services
        .iter()
        .map(|service| (service.clone(), frame::nonce()));
    named.collect()
}

/// Says why an observation has no answer: the connection's end is a better reason than its effect.
fn no_answer(broken: frame::Broken, response: &ProgramResponse) -> MachineError {
    let mut said = errors::beginning(&response.stderr).to_owned();
    if broken == frame::Broken::NoBeginning {
        // Once an answer has begun, standard output holds texts of files, which no error may show.
        said.push(b'\n');
        said.extend_from_slice(errors::beginning(&response.stdout));
    }
    match &response.exit {
        ProgramExit::Lost(why) => MachineError::Unreachable(Failure {
            summary: format!("the connection was lost before the host had answered: {why}"),
            detail: None,
            hint: Some("run again; nothing was changed".to_owned()),
        }),
        ProgramExit::Overrun(why) => MachineError::Unfit(Failure {
            summary: format!("the host's answer exceeds a limit: {why}"),
            detail: None,
            hint: Some(
                "look at the host: an observation is short; on a slow link raise `ssh.command_timeout`"
                    .to_owned(),
            ),
        }),
        ProgramExit::Signal(signal) => {
            errors::wrong_answer(&format!("its shell was killed by signal {signal}"), &said)
        }
        ProgramExit::Code(code) => errors::wrong_answer(
            &format!("{} (its shell ended with code {code})", broken.why()),
            &said,
        ),
    }
}
