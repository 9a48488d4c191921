"""Loops in which something is wrong, by the code of what is found."""

from __future__ import annotations

_BATCH = """
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""
_EPOCH = f"""
for epoch in range(EPOCHS):
    for x, y in train_loader:{_BATCH}
"""


def _epochs(after_batch: str = "", after_epoch: str = "", before: str = "", epochs: int = 4) -> str:
    """A plain loop with a line more in it, at one of two places."""
    loop = f"EPOCHS = {epochs}\n{before}\n" + _EPOCH.rstrip() + "\n"
    loop += f"        {after_batch}\n" if after_batch else ""
    return loop + (f"    {after_epoch}\n" if after_epoch else "")


WRONG: dict[str, dict[str, str]] = {
    "scheduler_before_optimizer": {
        "at the head of the epoch": """
scheduler = lr_scheduler.StepLR(optimizer, 1)
for epoch in range(EPOCHS):
    scheduler.step()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
        "between backward and step": """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=EPOCHS * len(train_loader) + 1)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        scheduler.step()
        optimizer.step()
""",
        "at the head of the batch, with no loader": """
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 40)
for step in range(20):
    scheduler.step()
    x, y = torch.randn(8, 8), torch.randint(0, 3, (8,))
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
""",
    },
    "once_an_epoch": {
        "OneCycleLR": _epochs(
            before="scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=EPOCHS * len(train_loader))",
            after_epoch="scheduler.step()",
        ),
        "CosineAnnealingLR": _epochs(
            before="scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader))",
            after_epoch="validate(); scheduler.step()",
        ),
        "PolynomialLR": _epochs(
            before="scheduler = lr_scheduler.PolynomialLR(optimizer, total_iters=EPOCHS * len(train_loader), power=2)",
            after_epoch="scheduler.step()",
        ),
    },
    "every_batch": {
        "CosineAnnealingLR": _epochs(
            before="scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)", after_batch="scheduler.step()"
        ),
        "PolynomialLR": _epochs(
            before="scheduler = lr_scheduler.PolynomialLR(optimizer, total_iters=EPOCHS)",
            after_batch="scheduler.step()",
            after_epoch="validate()",
        ),
        "StepLR": _epochs(
            before="scheduler = lr_scheduler.StepLR(optimizer, 1, gamma=0.1)", after_batch="scheduler.step()"
        ),
    },
    "every_micro_batch": {
        f"{kind}, {after}": f"""
scheduler = lr_scheduler.{kind}
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader, 1):
        loss = criterion(model(x), y) / {batches}
        loss.backward()
        if number % {batches} == 0:
            optimizer.step()
            optimizer.zero_grad()
            {"scheduler.step()" if after == "twice" else ""}
        {"scheduler.step()" if after == "behind" else ""}
        {"if number % " + str(batches) + ": scheduler.step()" if after == "twice" else ""}
"""
        for kind, batches, after in (
            ("CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader) // 4)", 4, "behind"),
            ("CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader) // 2)", 2, "behind"),
            ("PolynomialLR(optimizer, total_iters=EPOCHS * len(train_loader) // 3)", 3, "twice"),
        )
    },
    "no_metric": {
        "nothing": _epochs(
            before="scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)", after_epoch="validate(); scheduler.step()"
        ),
        "None": _epochs(
            before="scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)", after_epoch="scheduler.step(None)"
        ),
        "what a function gave back that gives nothing": """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)


def train():
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    validate()


for epoch in range(EPOCHS):
    val_loss = train()
    scheduler.step(metrics=val_loss)
""",
    },
    "training_metric": {
        "the last loss": _epochs(
            before="scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)",
            after_epoch="val_loss = validate(); scheduler.step(loss)",
        ),
        "the mean of the epoch": """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
for epoch in range(EPOCHS):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    val_loss = validate()
    scheduler.step(running / len(train_loader))
""",
        "the mean over samples, of a last batch that is smaller": """
train_loader = DataLoader(train_data, batch_size=20, shuffle=True)
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
for epoch in range(EPOCHS):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(x)
    train_loss = running / len(train_data)
    print(train_loss, validate())
    scheduler.step(train_loss)
""",
    },
    "no_zero_grad": {
        "never": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
""",
        "once an epoch": """
for epoch in range(EPOCHS):
    optimizer.zero_grad()
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
""",
        "of another network": """
other = nn.Linear(8, 3)
for step in range(20):
    x, y = torch.randn(8, 8), torch.randint(0, 3, (8,))
    other.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
""",
    },
    "no_gradient": {
        "a layer that forward leaves out": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.forgotten = nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x):
        return self.used(x)


model = Net()
optimizer = torch.optim.Adam(model.parameters())
"""
        + _EPOCH.replace("EPOCHS", "10"),
        "detach": """
body, head = nn.Linear(8, 8), nn.Linear(8, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(head(body(x).detach()), y).backward()
        optimizer.step()
""",
        "another network, with no loader": """
copy = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(copy.parameters(), lr=0.1)
second = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(150):
    x, y = torch.randn(8, 8), torch.randint(0, 3, (8,))
    model.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
    second.step()
""",
    },
    "not_in_optimizer": {
        "a layer that came later": """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.append(nn.Linear(3, 3))
for epoch in range(6):
    for x, y in train_loader:
        model.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
        "the head alone": """
optimizer = torch.optim.Adam(model[-1].parameters())
model.train()
for epoch in range(6):
    for x, y in train_loader:
        model.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
        "layers in a list of Python": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(F.relu(self.first(x)))


model = Net()
optimizer = torch.optim.SGD(model.first.parameters(), lr=0.1)
for step in range(80):
    x, y = torch.randn(8, 8), torch.randint(0, 3, (8,))
    model.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
""",
    },
    "validation_in_train_mode": {
        "no eval at all": _EPOCH
        + """
    with torch.no_grad():
        for x, y in val_loader:
            criterion(model(x), y)
""",
        "train called too early": _EPOCH
        + """
    model.eval()
    model.train()
    with torch.no_grad():
        for x, y in val_loader:
            criterion(model(x), y)
""",
        "Dropout alone, in inference mode": """
model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
        + _EPOCH
        + """
    with torch.inference_mode():
        for x, y in val_loader:
            criterion(model(x), y)
""",
    },
    "validation_with_gradients": {
        "no no_grad": _EPOCH
        + """
    model.eval()
    for x, y in val_loader:
        criterion(model(x), y).item()
    model.train()
""",
        "no_grad around the loss alone": _EPOCH
        + """
    model.eval()
    for x, y in val_loader:
        outputs = model(x)
        with torch.no_grad():
            criterion(outputs, y)
    model.train()
""",
        "no_grad that nobody entered": _EPOCH
        + """
    model.eval()
    torch.no_grad()
    correct = 0
    for x, y in val_loader:
        correct += (model(x).argmax(1) == y).sum().item()
    model.train()
""",
    },
    "graph_kept": {
        "in a list": "losses = []\n" + _epochs(after_batch="losses.append(loss)", epochs=34),
        "in a sum": "total = 0.0\n" + _epochs(after_batch="total += loss", epochs=34),
        "in an attribute": "class Meter: values = {}\nsteps = 0\n"
        + _epochs(after_batch="steps += 1; Meter.values[steps] = loss * 2", epochs=34),
    },
    "no_scaler_update": {
        "forgotten": """
scaler = torch.amp.GradScaler("cpu")
for x, y in train_loader:
    optimizer.zero_grad()
    scaler.scale(criterion(model(x), y)).backward()
    scaler.step(optimizer)
""",
        "once an epoch": """
scaler = torch.amp.GradScaler("cpu")
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        scaler.scale(criterion(model(x), y)).backward()
        scaler.step(optimizer)
    scaler.update()
""",
        "with unscale_": """
scaler = torch.amp.GradScaler("cpu")
for x, y in train_loader:
    optimizer.zero_grad()
    scaler.scale(criterion(model(x), y)).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
""",
    },
    "clip_before_unscale": {
        name: f"""
scaler = torch.amp.GradScaler("cpu")
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        scaler.scale(criterion(model(x), y)).backward()
        {clip}
        scaler.step(optimizer)
        scaler.update()
"""
        for name, clip in {
            "by norm": "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
            "by value": "nn.utils.clip_grad_value_(model.parameters(), 0.5)",
            "and unscaled after": ("nn.utils.clip_grad_norm_(model.parameters(), 1.0); scaler.unscale_(optimizer)"),
        }.items()
    },
    "clip_before_backward": {
        name: f"""
for epoch in range(EPOCHS):
    for x, y in train_loader:
        {clear}
        loss = criterion(model(x), y)
        {clip}
        loss.backward()
        optimizer.step()
"""
        for name, clear, clip in (
            ("by the optimizer", "optimizer.zero_grad()", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
            ("by the network", "model.zero_grad()", "nn.utils.clip_grad_norm_(model.parameters(), 0.25)"),
            (
                "gradients that stay as zeros",
                "optimizer.zero_grad(set_to_none=False)",
                "torch.nn.utils.clip_grad_norm_(list(model.parameters()), 5, norm_type=float('inf'))",
            ),
        )
    },
    "scheduled_twice": {
        f"{one} and {other}": _epochs(
            before=f"one = lr_scheduler.{one}\nother = lr_scheduler.{other}", **{after: "one.step(); other.step()"}
        )
        for one, other, after in (
            ("LambdaLR(optimizer, lambda step: 1 / (1 + step))", "ExponentialLR(optimizer, 0.9)", "after_epoch"),
            ("CosineAnnealingLR(optimizer, 48)", "LambdaLR(optimizer, lambda n: min(1, n / 60))", "after_batch"),
            ("StepLR(optimizer, 1, 0.99)", "CosineAnnealingWarmRestarts(optimizer, 12)", "after_batch"),
        )
    },
    "schedule_ends_early": {
        "OneCycleLR for an epoch less": _epochs(
            before="scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=(EPOCHS - 1) * len(train_loader))",
            after_batch="scheduler.step()",
        ),
        "PolynomialLR for half of it": _epochs(
            before="scheduler = lr_scheduler.PolynomialLR(optimizer, total_iters=EPOCHS * len(train_loader) // 2)",
            after_batch="scheduler.step()",
            epochs=6,
        ),
        "OneCycleLR without a loader": """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
for step in range(50):
    optimizer.zero_grad()
    criterion(model(torch.randn(8, 8)), torch.randint(0, 3, (8,))).backward()
    optimizer.step()
    scheduler.step()
""",
    },
    "schedule_never_ends": {
        "OneCycleLR for the batches of a smaller batch size": _epochs(
            before="scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=2 * EPOCHS * len(train_loader))",
            after_batch="scheduler.step()",
        ),
        "CosineAnnealingLR for more epochs": _epochs(
            before="scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 100)",
            after_epoch="scheduler.step()",
            epochs=6,
        ),
        "once behind each accumulated step": """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader, 1):
        (criterion(model(x), y) / 4).backward()
        if number % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
""",
    },
    "not_shuffled": {
        "shuffle forgotten": "train_loader = DataLoader(train_data, batch_size=8)\n" + _EPOCH,
        "by a list of pairs": "train_loader = DataLoader([(x, int(y)) for x, y in train_data], 8, drop_last=True)\n"
        + _EPOCH,
        "batches that are dicts": """
class Data(torch.utils.data.Dataset):
    def __len__(self):
        return len(train_data)

    def __getitem__(self, index):
        x, y = train_data[index]
        return {"x": x + 0.1 * torch.randn(8), "label": y}


train_loader = DataLoader(Data(), batch_size=8, sampler=torch.utils.data.SequentialSampler(train_data))
for epoch in range(EPOCHS):
    for batch in train_loader:
        optimizer.zero_grad()
        criterion(model(batch["x"]), batch["label"]).backward()
        optimizer.step()
""",
    },
    "scheduler_not_loaded": {
        f"{kind}": f"""
momenta = {{number: {{"momentum_buffer": torch.zeros_like(each)}} for number, each in enumerate(model.parameters())}}
checkpoint = {{"model": model.state_dict(), "optimizer": dict(optimizer.state_dict(), state=momenta)}}
model.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
scheduler = lr_scheduler.{kind}
"""
        + _epochs(**{where: "scheduler.step()"})
        for kind, where in (
            ("LambdaLR(optimizer, lambda step: 1 / (1 + step))", "after_batch"),
            ("CosineAnnealingLR(optimizer, 4)", "after_epoch"),
            ("OneCycleLR(optimizer, 0.1, epochs=4, steps_per_epoch=len(train_loader))", "after_batch"),
        )
    },
    "steps_not_counted": {
        "a network that is trained on alone": """
head = nn.Linear(8, 3)
adam = torch.optim.Adam(head.parameters(), lr=1e-3)
for epoch in range(6):
    for x, y in train_loader:
        for network, each in ((model, optimizer), (head, adam))[epoch > 1 :]:
            each.zero_grad()
            criterion(network(x), y).backward()
            each.step()
""",
        "a discriminator that stands still in the end": """
netG, netD = nn.Linear(4, 8), nn.Sequential(nn.Linear(8, 1), nn.Flatten(0))
optD, optG = torch.optim.Adam(netD.parameters(), lr=1e-3), torch.optim.Adam(netG.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for epoch in range(5):
    for x, _ in train_loader:
        fake = netG(torch.randn(len(x), 4))
        if epoch < 2:
            optD.zero_grad()
            (bce(netD(x), torch.ones(len(x))) + bce(netD(fake.detach()), torch.zeros(len(x)))).backward()
            optD.step()
        optG.zero_grad()
        bce(netD(fake), torch.ones(len(x))).backward()
        optG.step()
""",
        "many steps of the second, and the program goes on": """
sgd = torch.optim.SGD(model.parameters(), lr=1e-3)
for epoch in range(48):
    for x, y in train_loader:
        for each in (optimizer, sgd) if epoch in (0, 47) else (sgd,):
            each.zero_grad()
            criterion(model(x), y).backward()
            each.step()
""",
    },
    "steps_not_seen": {
        "by hand": """
for epoch in range(6):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
                parameter.grad = None
""",
        "by hand, with .data": """
for step in range(60):
    criterion(model(torch.randn(8, 8)), torch.randint(0, 3, (8,))).backward()
    for parameter in model.parameters():
        parameter.data.sub_(0.1 * parameter.grad.data)
    model.zero_grad()
""",
        "another class of optimizer": """
class Optimizer:
    def step(self):
        for parameter in model.parameters():
            parameter.data.sub_(0.1 * parameter.grad.data)


mine = Optimizer()
for epoch in range(6):
    for x, y in train_loader:
        model.zero_grad()
        criterion(model(x), y).backward()
        mine.step()
""",
        "a few, by an optimizer that is gone by then": """
def train():
    adam = torch.optim.Adam(model.parameters())
    for step in range(8):
        adam.zero_grad()
        criterion(model(torch.randn(8, 8)), torch.randint(0, 3, (8,))).backward()
        with torch.no_grad():  # as a compiled step does, unseen
            for parameter in adam.param_groups[0]["params"]:
                parameter -= 0.1 * parameter.grad


train()
""",
    },
}
"""Three of each at least."""
