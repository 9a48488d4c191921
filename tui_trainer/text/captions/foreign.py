"""What is said of records that other tools have written."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Records of other tools"

CAPTIONS = {
    "foreign.took": Caption(
        "read from {tool}: {series} series, {numbers}",
        "a record of another tool was read as far as it goes",
        "it is still being read",
    ),
    "foreign.settings": Caption(
        "set to {what}",
        "another tool's record, or a file of settings beside it, says what the run was set to",
        "neither says so",
    ),
    "foreign.settings_as_code": Caption(
        "what it was set to stands in {file} as well, which is a program: it is not run",
        "a file of settings that is a program, as MMEngine writes it, lies beside another tool's record",
        "none does; the settings stand in a file of data",
    ),
    "foreign.checkpoints": Caption(
        "checkpoints beside it, the newest first: {names}",
        "a record of another tool lies where Lightning, Hugging Face's trainer or Ultralytics keeps checkpoints; again "
        "as another one comes",
        "there are none; they are another run's",
    ),
    "foreign.several": Caption(
        "{count} records in {folder}: {name} was written last; others: {others}",
        "a folder holds more than one record, and the one that changed last is shown",
        "it holds one",
    ),
    "foreign.runs_of_ours": Caption(
        "{folder} is a folder of tui-trainer's runs: name it with --runs-dir {folder}",
        "a path was given at which runs of ours lie, and no record of another tool",
        "it is the record of one run; another tool's record lies there",
    ),
    "foreign.not_for_ours": Caption(
        "--objective and --rename are for records of other tools: a run of tui-trainer says itself what its series are",
        "one of these was given with a run of ours",
        "it was given with a record of another tool",
    ),
    "foreign.which": Caption(
        "{path} holds several runs; name one: {names}",
        "a folder or a database is to be compared that holds more than one run, here or on another machine",
        "it holds one, or is one itself; a run is named",
    ),
    "foreign.not_over_ssh": Caption(
        "--alert, --objective and --rename are for records on this machine: leave them out",
        "one of these is given for a record on another machine",
        "the record lies on this one; none of them is given",
    ),
    "foreign.no_rules_for_ours": Caption(
        "--alert is for records of other tools here: a run of tui-trainer is given its rules as it is started",
        "`attach` or `stream` has a rule for a run of ours",
        "the record is another tool's",
    ),
    "foreign.none": Caption(
        "{path} holds no run in a form that is known: {tools}",
        "a path was given at which nothing known lies",
        "a run is there, or there is no such path",
    ),
    "foreign.same_run": Caption(
        "{folder} holds what the same run has told TensorBoard: it is followed there between checkpoints",
        "a folder of Hugging Face's trainer has its trainer_state.json, and event files that begin with its arguments",
        "there are none; they are another program's",
    ),
    "foreign.several_forms": Caption(
        "one run in several forms, each number once: {forms}",
        "a folder holds the same numbers in several forms, as detectron2, MMEngine and Lightning write them",
        "it holds one; their first numbers differ: they are records of their own",
    ),
    "foreign.read_only": Caption(
        "another program trains it: it cannot be controlled from here",
        "something is asked of a run that another tool records",
        "the run is one of ours, or a watched program's",
    ),
    "foreign.needs_numpy": Caption(
        "TensorBoard's files need NumPy to be read, and it is not installed: pip install numpy",
        "a record of TensorBoard's is opened where there is no NumPy",
        "it is there; the record has another form",
    ),
    "foreign.unreadable": Caption(
        "cannot be read: {why}",
        "the system refuses a file of a record, or it is no plain file",
        "it can be read, or it is gone",
    ),
    "foreign.written": Caption(
        "written {ago} ago",
        "another tool's record has numbers and no word of its end; how long ago it changed last is all that is known",
        "the tool said that the run is over; the record is one of ours",
    ),
    "foreign.bad_events": Caption(
        "{file}: {events} damaged; left out",
        "the CRC of an event is wrong, or it is no event, and those behind it are read",
        "each is sound, or the last one is not whole yet",
    ),
    "foreign.damaged_lengths": Caption(
        "{file}: {times} damaged; what stands up to the next whole event is lost",
        "the CRC of an event's length is wrong, and a whole event was found behind it",
        "each length is sound",
    ),
    "foreign.rest_unread": Caption(
        "{file}: damaged at byte {place}; what stands behind it is not read",
        "the CRC of a length is wrong, and 64 MiB behind it hold no whole event",
        "an event was found, or the file is still searched",
    ),
    "foreign.no_objective": Caption(
        "no series is called {name}, by which it was to be judged",
        "--objective named a series, now or of another run of this kind, that a record does not have",
        "it has one of that name, of its tool's or of --rename's",
    ),
    "foreign.not_remembered": Caption(
        "{file} keeps what is said of other tools' records, and cannot be changed: {why}",
        "--objective, --rename or --add-root is to be remembered, and the file cannot be read or written",
        "it can; it holds that already",
    ),
    "foreign.file_damaged": Caption(
        "it is damaged; mend it, or delete it",
        "the same, where what stands in the file is not what this program writes there",
        "the system refuses it",
    ),
    "foreign.noted": Caption(
        "note: {what}",
        "a record is exported of which something is to be said that is no damage",
        "it is damage, which is a warning; there is nothing to say",
    ),
    "foreign.lr_drops": Caption(
        "{name}, as its curve shows it: step decay ×{factor} at {where}",
        "an LR of another tool's record is held and drops, each time by the same factor, as far as it is recorded",
        "it drops at each value, by other factors (a cosine once an epoch), or rises; it is one of ours",
    ),
    "foreign.lr_cycle": Caption(
        "{name}, as its curve shows it: one cycle, its top {top} at {share}",
        "such an LR rises to one top behind a fifth of what is recorded, and falls far below where it began",
        "it has more tops, or ends above half of where it began: another schedule may have made it",
    ),
    "foreign.lr_warmed": Caption(
        "{name}, as its curve shows it: a warm-up to {top} by step {step}, then a decay to {end}",
        "such an LR rises to one top within the first fifth, and falls to less than half of it",
        "it rises later, again, or not at all",
    ),
    "foreign.not_drawn": Caption(
        "left out: {what}",
        "a record holds more than numbers",
        "it holds numbers alone",
    ),
    "foreign.thinned": Caption(
        "it holds more than {numbers} numbers: of those behind them the lowest and highest of each stretch are kept",
        "a record has so many numbers that all of them would take more memory than they are worth",
        "it has no more",
    ),
    "foreign.too_many_files": Caption(
        "there are more than {count} files: the others are not read",
        "a folder holds more event files",
        "it holds no more",
    ),
    "foreign.late": Caption(
        "{numbers} came late, and stand where their steps are",
        "a few numbers of a series were written behind those of later steps, at steps that had none",
        "steps rise, or the training was begun again",
    ),
    "foreign.no_step": Caption(
        "{numbers} left out: their steps are below 0, or too large",
        "a step is negative, or above 2⁶²",
        "steps are whole numbers from 0 on",
    ),
    "foreign.earlier_writer": Caption(
        "{numbers} left out: a later file has their series from there on",
        "two files of a run have one series, and the earlier one goes on where the later one has begun",
        "each series has one file at a time",
    ),
    "foreign.rows_numbered": Caption(
        "no column says the step: the rows are numbered",
        "none of a record's columns or keys is known to be a step",
        "one is",
    ),
    "foreign.step_is": Caption(
        "steps are taken from {name}",
        "a column or key other than `step` is taken for it",
        "there is a `step`",
    ),
    "foreign.epoch_as_step": Caption(
        "validations are recorded by their epochs: they stand at the step that the training was at",
        "the rows of a training count iterations and epochs, and those of its validations epochs as their step",
        "they count iterations as well",
    ),
    "foreign.by_clock": Caption(
        "steps of {names} count epochs, or the like: they stand where the training was then",
        "the steps of a series of TensorBoard or MLflow go up by one and those of the others by more, time and again",
        "all count the same; the others were over as it was written; it is of another run",
    ),
    "foreign.repeated": Caption(
        "{numbers} left out: evaluation_…_vs_iterations repeats those of the epochs",
        "Keras has told TensorBoard of a validation by epochs, and once more by batches",
        "it told no validation; another program wrote them",
    ),
    "foreign.steps_go_on": Caption(
        "steps begin anew in each epoch: here they go on from the last one that was written before",
        "the epoch of a row is a later one than that of the row before, and its step is lower",
        "steps are counted through all epochs; what was trained again tells its epochs again",
    ),
    "foreign.at_last_step": Caption(
        "rows that say no step stand at that of the row before",
        "rows of a record have steps, and others behind them have none: validations that say their epoch alone",
        "all say one, or none does",
    ),
    "foreign.no_step_in_row": Caption(
        "{rows} left out: what stands for their step is no number",
        "the step of a row is empty or a word, in a table or an object that has it",
        "rows have a step, or no cell for one",
    ),
    "foreign.bad_rows": Caption(
        "{rows} could not be read; left out",
        "a row has more cells than the header, or a line is no JSON object",
        "all are read; the last one is not whole yet",
    ),
    "foreign.not_numbers": Caption(
        "left out: {names}",
        "columns or keys hold text, lists or nothing that is a number",
        "each holds numbers",
    ),
    "foreign.too_large": Caption(
        "{file} is not read: it is one document of more than {size}",
        "a JSON document that has to be read as a whole is larger",
        "it is not, or it is read line by line",
    ),
    "foreign.no_document": Caption(
        "{file} is no whole document",
        "a JSON document ends too early, or is damaged",
        "it is whole, or it was at the last look and is written right now",
    ),
}
