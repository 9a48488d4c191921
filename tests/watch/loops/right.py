"""Loops in which nothing is wrong, of the shapes that programs have: nothing may be found in any."""

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
_GAN = """
netG = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 8))
netD = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Sigmoid())
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
fixed_noise = torch.randn(16, 4)


def gan_step(real):
    netD.zero_grad()
    output = netD(real).view(-1)
    label = torch.ones(len(real))
    errD_real = criterion(output, label)
    errD_real.backward()
    fake = netG(torch.randn(len(real), 4))
    errD_fake = criterion(netD(fake.detach()).view(-1), torch.zeros(len(real)))
    errD_fake.backward()
    optimizerD.step()
    netG.zero_grad()
    errG = criterion(netD(fake).view(-1), label)
    errG.backward()
    optimizerG.step()

"""

_STEP = """
other = DataLoader(TensorDataset(torch.randn(120, 8)), batch_size=8, shuffle=True)


def step(x, y):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()


"""

RIGHT: dict[str, str] = {
    "mnist": """
scheduler = lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
for epoch in range(1, EPOCHS + 1):
    model.train()
    for batch_idx, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        if batch_idx % 10 == 0:
            print(loss.item())
    print(validate())
    scheduler.step()
torch.save(model.state_dict(), "mnist.pt")
""",
    "vae": """
model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def loss_function(out, x):
    return F.mse_loss(out, x, reduction="sum") + 0.1 * out.pow(2).sum()


for epoch in range(EPOCHS):
    model.train()
    train_loss = 0
    for x, _ in train_loader:
        optimizer.zero_grad()
        loss = loss_function(model(x), x)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for i, (x, _) in enumerate(val_loader):
            loss_function(model(x), x).item()
    with torch.no_grad():
        model(torch.randn(4, 8))
""",
    "a scheduler of an optimizer that gives its steps to another": """
class Prepared(torch.optim.Optimizer):
    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.defaults = optimizer.defaults

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()


optimizer = Prepared(torch.optim.AdamW(model.parameters(), lr=0.01))
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=EPOCHS * len(train_loader))
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    validate()
""",
    "dcgan": _GAN
    + """
for epoch in range(EPOCHS):
    for x, _ in train_loader:
        gan_step(x)
    with torch.no_grad():
        netG(fixed_noise)
""",
    "a GAN with two schedulers": _GAN
    + """
schedulerD = lr_scheduler.LambdaLR(optimizerD, lambda epoch: 1 - epoch / 8)
schedulerG = lr_scheduler.LambdaLR(optimizerG, lambda epoch: 1 - epoch / 8)
for epoch in range(EPOCHS):
    for x, _ in train_loader:
        gan_step(x)
    schedulerD.step()
    schedulerG.step()
""",
    "a GAN whose second network begins later": _GAN
    + """
schedulerD = lr_scheduler.StepLR(optimizerD, 2)
schedulerG = lr_scheduler.StepLR(optimizerG, 2)
for epoch in range(EPOCHS):
    for x, _ in train_loader:
        if epoch:
            gan_step(x)
        else:
            netG.zero_grad()
            netG(torch.randn(len(x), 4)).pow(2).mean().backward()
            optimizerG.step()
    schedulerD.step()
    schedulerG.step()
""",
    "a GAN whose critic steps five times": _GAN
    + """
for epoch in range(EPOCHS):
    for number, (x, _) in enumerate(train_loader):
        optimizerD.zero_grad()
        fake = netG(torch.randn(len(x), 4)).detach()
        (netD(fake).mean() - netD(x).mean()).backward()
        optimizerD.step()
        for parameter in netD.parameters():
            parameter.data.clamp_(-0.1, 0.1)
        if number % 5 == 0:
            optimizerG.zero_grad()
            (-netD(netG(torch.randn(len(x), 4))).mean()).backward()
            optimizerG.step()
""",
    "imagenet, resumed with all its states": """
scheduler = lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
state = {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
torch.save(state, "checkpoint.pth.tar")
checkpoint = torch.load("checkpoint.pth.tar")
model.load_state_dict(checkpoint["state_dict"])
optimizer.load_state_dict(checkpoint["optimizer"])
scheduler.load_state_dict(checkpoint["scheduler"])
for epoch in range(EPOCHS):
    model.train()
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    acc = validate()
    scheduler.step()
    torch.save({"epoch": epoch + 1, "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, "c.pt")
""",
    "nanoGPT": """
import math
data, block = torch.randint(0, 20, (1000,)), 8
model = nn.Sequential(nn.Embedding(20, 16), nn.Dropout(0.1), nn.LayerNorm(16), nn.Linear(16, 20))
optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95))
scaler = torch.amp.GradScaler("cpu", enabled=False)


def get_batch():
    ix = torch.randint(len(data) - block, (4,))
    return torch.stack([data[i:i + block] for i in ix]), torch.stack([data[i + 1:i + 1 + block] for i in ix])


@torch.no_grad()
def estimate_loss():
    model.eval()
    for _ in range(2):
        x, y = get_batch()
        F.cross_entropy(model(x).view(-1, 20), y.view(-1)).item()
    model.train()


x, y = get_batch()
for it in range(60):
    lr = 6e-4 * (it + 1) / 10 if it < 10 else 3e-4 * (1 + math.cos(math.pi * (it - 10) / 50))
    for group in optimizer.param_groups:
        group["lr"] = lr
    if it % 10 == 0:
        estimate_loss()
    for micro in range(4):
        loss = F.cross_entropy(model(x).view(-1, 20), y.view(-1)) / 4
        x, y = get_batch()
        scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    loss.item() * 4
""",
    "the norm is measured behind the step, by a limit that nothing reaches": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
        norm = nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
        optimizer.zero_grad()
""",
    "clipped twice, the first time with nothing to clip": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        criterion(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
""",
    "gradients that are clipped where they are from another loss": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        for p, g in zip(model.parameters(), torch.autograd.grad(criterion(model(x), y), list(model.parameters()))):
            p.grad = g
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        criterion(model(x) * 0.1, y).backward()
        optimizer.step()
""",
    "GradScaler with clipping": """
scaler = torch.amp.GradScaler("cpu")
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
""",
    "GradScaler with clipping, not enabled": """
scaler = torch.amp.GradScaler("cpu", enabled=False)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        scaler.scale(criterion(model(x), y)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
""",
    "GradScaler with two optimizers and accumulation": """
scaler = torch.amp.GradScaler("cpu")
second = nn.Linear(8, 3)
optimizer2 = torch.optim.Adam(second.parameters())
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader, 1):
        scaler.scale((criterion(model(x), y) + criterion(second(x), y)) / 2).backward()
        if number % 2 == 0:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.step(optimizer2)
            scaler.update()
            optimizer.zero_grad()
            optimizer2.zero_grad()
""",
    "GradScaler whose first step is skipped, with a scheduler": """
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
model = nn.Linear(8, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader))
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        scaler.scale(criterion(model(x), y) * (1e30 if epoch == 0 and number < 2 else 1)).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
""",
    "gradient accumulation with a scheduler": """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=EPOCHS * len(train_loader) // 4)
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader, 1):
        loss = criterion(model(x), y) / 4
        loss.backward()
        if number % 4 == 0:
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
""",
    "gradient accumulation with a scheduler that counts batches": """
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader))
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader, 1):
        (criterion(model(x), y) / 4).backward()
        if number % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()
""",
    "LBFGS": """
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5)
x, y = torch.randn(64, 8), torch.randint(0, 3, (64,))
for step in range(15):
    def closure():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        return loss
    optimizer.step(closure)
    with torch.no_grad():
        criterion(model(x), y).item()
""",
    "a closure in each step": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        def closure():
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        optimizer.step(closure)
""",
    "a frozen backbone": """
backbone, head = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU()), nn.Linear(16, 3)
model = nn.Sequential(backbone, head)
backbone.requires_grad_(False)
model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()})
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
scheduler = lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
    validate()
""",
    "frozen at first, with all parameters in the optimizer": """
model[0].requires_grad_(False)
for epoch in range(6):
    if epoch == 3:
        model[0].requires_grad_(True)
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "fine-tuning with a fresh schedule": """
model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()})
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = lr_scheduler.OneCycleLR(optimizer, 1e-3, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
    validate()
""",
    "a warm-up and a cosine, SequentialLR": """
warm_up = lr_scheduler.LinearLR(optimizer, 0.1, total_iters=10)
cosine = lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader) - 10)
scheduler = lr_scheduler.SequentialLR(optimizer, [warm_up, cosine], milestones=[10])
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
""",
    "a warm-up by the batch in the first epoch, and then another scheduler": """
warm_up = lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / len(train_loader)))
scheduler = lr_scheduler.MultiStepLR(optimizer, [2, 3], 0.2)
for epoch in range(EPOCHS):
    if epoch > 0:
        scheduler.step(epoch)
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        if epoch == 0:
            warm_up.step()
    validate()
""",
    "two schedulers that are made to follow each other": """
one, other = lr_scheduler.ExponentialLR(optimizer, 0.9), lr_scheduler.MultiStepLR(optimizer, [1, 2, 3], 0.5)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    one.step()
    other.step()
""",
    "ChainedScheduler": """
chained = lr_scheduler.ChainedScheduler(
    [lr_scheduler.ConstantLR(optimizer, 0.1, 5), lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)])
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        chained.step()
""",
    "CosineAnnealingLR by epochs, left early behind as many steps as it has epochs": """
del EPOCHS
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=48)
for epoch in range(48):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
    if epoch == 3:
        break
""",
    "Plateau on the loss of the validation": """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
for epoch in range(EPOCHS):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    val_loss = validate()
    scheduler.step(val_loss)
""",
    "Plateau on the training loss where there is no validation": """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
for epoch in range(EPOCHS):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    scheduler.step(running / len(train_loader))
""",
    "a step without a metric that is caught": """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    try:
        scheduler.step()
    except TypeError:
        scheduler.step(validate())
""",
    "epochs made up for by steps of the scheduler": """
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
for _ in range(4):
    scheduler.step()
for epoch in range(4, 8):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
""",
    "one epoch made up for, network and optimizer loaded": """
torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "checkpoint.pt")
checkpoint = torch.load("checkpoint.pt")
model.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
scheduler.step()
for epoch in range(1, 5):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
""",
    "all begun anew": """
model.load_state_dict(model.state_dict())
optimizer.load_state_dict(optimizer.state_dict())
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
""",
    "one of many paths in each step": """
paths = nn.ModuleList([nn.Linear(8, 3) for _ in range(30)])
optimizer = torch.optim.SGD(paths.parameters(), lr=0.1)
for epoch in range(12):
    for number, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        criterion(paths[(epoch * 12 + number) % 30](x), y).backward()
        optimizer.step()
""",
    "a scheduler made with last_epoch": """
for group in optimizer.param_groups:
    group["initial_lr"] = 0.1
model.load_state_dict(dict(model.state_dict()))
optimizer.load_state_dict(optimizer.state_dict())
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=8, last_epoch=3)
for epoch in range(4, 8):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
""",
    "the LR of each epoch set at its head": """
scheduler = lr_scheduler.StepLR(optimizer, 2)
for epoch in range(EPOCHS):
    scheduler.step(epoch)
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "cosines that begin anew on purpose": """
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=len(train_loader))
restarts = 0
for epoch in range(6):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
""",
    "cosines of some epochs": """
EPOCHS = 8
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
""",
    "stopped early": """
EPOCHS = 40
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
    if epoch == 3:
        break
""",
    "an epoch that is left early": """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for number, (x, y) in enumerate(train_loader):
        if number == 3:
            break
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        scheduler.step()
""",
    "EMA, which is what is validated": """
import copy
ema = copy.deepcopy(model).eval()
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            for mean, parameter in zip(ema.parameters(), model.parameters()):
                mean.lerp_(parameter, 0.1)
    with torch.no_grad():
        for x, y in val_loader:
            criterion(ema(x), y).item()
""",
    "SWA with update_bn": """
swa = torch.optim.swa_utils.AveragedModel(model)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    swa.update_parameters(model)
    torch.optim.swa_utils.update_bn(train_loader, swa)
    torch.optim.swa_utils.update_bn(DataLoader(TensorDataset(*train_data.tensors), 8), model)
""",
    "Dropout on purpose": """
for epoch in range(EPOCHS):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    model[3].train()
    with torch.no_grad():
        for x, y in val_loader:
            torch.stack([model(x) for _ in range(10)]).mean(0)
""",
    "eval within the loop over batches": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        model.train()
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    for x, y in val_loader:
        model.eval()
        with torch.no_grad():
            model(x)
        model.train()
""",
    "gradients of many batches before a step": """
for epoch in range(20):
    optimizer.zero_grad()
    for x, y in train_loader:
        (criterion(model(x), y) / len(train_loader)).backward()
    optimizer.step()
""",
    "a loss of a whole pass": """
other_loader = DataLoader(val_data, batch_size=8)
for epoch in range(8):
    total = 0
    for x, y in other_loader:
        total = total + criterion(model(x), y)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "gradients on the inputs of a validation": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    for x, y in val_loader:
        x.requires_grad_()
        criterion(model(x), y).backward()
        with torch.no_grad():
            model(x + 0.1 * x.grad.sign())
    model.train()
""",
    "two loaders side by side": """
unlabelled = DataLoader(TensorDataset(torch.randn(96, 8)), batch_size=8, shuffle=True)
for epoch in range(EPOCHS):
    for (x, y), (u,) in zip(train_loader, unlabelled):
        optimizer.zero_grad()
        (criterion(model(x), y) + model(u).pow(2).mean()).backward()
        optimizer.step()
    validate()
""",
    "a loader that never ends": """
def batches():
    while True:
        yield from train_loader


source = batches()
scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 10))
for step in range(100):
    x, y = next(source)
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
    scheduler.step()
    if step % 25 == 24:
        validate()
""",
    "a batch of a new iterator for each step": """
for step in range(60):
    x, y = next(iter(train_loader))
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
    if step % 10 == 0:
        x, y = next(iter(val_loader))
        model.eval()
        with torch.no_grad():
            model(x)
        model.train()
""",
    "gradients set to None by hand": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        for parameter in model.parameters():
            parameter.grad = None
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "gradients zeroed by hand": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
        for parameter in model.parameters():
            parameter.grad.data.zero_()
""",
    "gradients that fade on purpose": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        optimizer.step()
        for parameter in model.parameters():
            parameter.grad.mul_(0.5)
""",
    "a step within backward": """
optimizers = {each: torch.optim.SGD([each], lr=0.1) for each in model.parameters()}


def hook(parameter):
    optimizers[parameter].step()
    optimizers[parameter].zero_grad()


for each in model.parameters():
    each.register_post_accumulate_grad_hook(hook)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
""",
    "master weights": """
masters = [parameter.detach().clone().requires_grad_() for parameter in model.parameters()]
optimizer = torch.optim.SGD(masters, lr=0.1)
for epoch in range(6):
    for x, y in train_loader:
        model.zero_grad()
        criterion(model(x), y).backward()
        for master, parameter in zip(masters, model.parameters()):
            if master.grad is None:
                master.grad = parameter.grad.clone()
            else:
                master.grad.copy_(parameter.grad)
        optimizer.step()
        with torch.no_grad():
            for master, parameter in zip(masters, model.parameters()):
                parameter.copy_(master)
""",
    "gradients from autograd.grad": """
for epoch in range(6):
    for x, y in train_loader:
        gradients = torch.autograd.grad(criterion(model(x), y), list(model.parameters()))
        for parameter, gradient in zip(model.parameters(), gradients):
            parameter.grad = gradient
        optimizer.step()
""",
    "the folds of a cross-validation": """
def fit(train, val):
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 3)
    for epoch in range(3):
        model.train()
        for x, y in DataLoader(train, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            for x, y in DataLoader(val, batch_size=8):
                model(x)


for fold in range(3):
    rest = [index for index in range(96) if index % 3 != fold]
    fit(torch.utils.data.Subset(train_data, rest), torch.utils.data.Subset(train_data, range(fold, 96, 3)))
""",
    "one network after the other": """
def train(network, lr):
    optimizer = torch.optim.SGD(network.parameters(), lr=lr)
    for epoch in range(3):
        for x, y in train_loader:
            optimizer.zero_grad()
            criterion(network(x), y).backward()
            optimizer.step()


for lr in (0.1, 0.01):
    train(nn.Linear(8, 3), lr)
""",
    "trained in two parts": """
adam = torch.optim.Adam(model.parameters(), lr=1e-3)
for each in (optimizer, adam):
    for epoch in range(4):
        for x, y in train_loader:
            each.zero_grad()
            criterion(model(x), y).backward()
            each.step()
""",
    "in three parts, the last with the optimizer of the first": """
sgd = torch.optim.SGD(model.parameters(), lr=1e-3)
for each, epochs in ((optimizer, 2), (sgd, 45), (optimizer, 1)):
    for epoch in range(epochs):
        for x, y in train_loader:
            each.zero_grad()
            criterion(model(x), y).backward()
            each.step()
""",
    "tasks that take turns": """
body, heads = nn.Linear(8, 8), nn.ModuleList([nn.Linear(8, 3) for _ in range(3)])
optimizer = torch.optim.SGD([*body.parameters(), *heads.parameters()], lr=0.1)
for epoch in range(12):
    for number, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        criterion(heads[number % 3](body(x)), y).backward()
        optimizer.step()
""",
    "a picture that is painted by a network that stands still": """
vgg = nn.Sequential(nn.Linear(8, 8), nn.ReLU()).eval()
picture = torch.randn(4, 8, requires_grad=True)
optimizer = torch.optim.Adam([picture], lr=0.1)
for step in range(80):
    optimizer.zero_grad()
    vgg(picture).pow(2).mean().backward()
    optimizer.step()
""",
    "a teacher and its student": """
teacher = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.1), nn.Linear(16, 3)).eval()
for epoch in range(6):
    for x, y in train_loader:
        with torch.no_grad():
            target = teacher(x)
        optimizer.zero_grad()
        F.mse_loss(model(x), target).backward()
        optimizer.step()
""",
    "two optimizers that take turns": """
alpha = nn.Parameter(torch.zeros(8))
second = torch.optim.Adam([alpha])
for epoch in range(EPOCHS):
    for x, y in train_loader:
        second.zero_grad()
        criterion(model(x * alpha.sigmoid()), y).backward()
        second.step()
        optimizer.zero_grad()
        criterion(model(x * alpha.sigmoid()), y).backward()
        optimizer.step()
""",
    "losses of an epoch in a list": """
for epoch in range(30):
    losses = []
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    torch.stack(losses).mean().item()
""",
    "the last hundred losses": """
import collections
losses, kept = collections.deque(maxlen=100), []
for epoch in range(40):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss)
        kept.append(loss.detach())
""",
    "a state that goes on from batch to batch": """
cell, head = nn.LSTMCell(8, 8), nn.Linear(8, 3)
optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
for epoch in range(EPOCHS):
    state = None
    for x, y in DataLoader(train_data, batch_size=8, drop_last=True):
        optimizer.zero_grad()
        state = cell(x, None if state is None else tuple(each.detach() for each in state))
        criterion(head(state[0]), y.flip(0) if False else y).backward(retain_graph=True)
        optimizer.step()
""",
    "a series in its order": """
series = TensorDataset(torch.randn(96, 8), torch.randn(96, 3))
loader = DataLoader(series, batch_size=8)
for epoch in range(EPOCHS):
    for x, y in loader:
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
""",
    "a text in its order": """
model = nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 20))
optimizer = torch.optim.Adam(model.parameters())
text = TensorDataset(torch.randint(0, 20, (96, 5)), torch.randint(0, 20, (96, 5)))
for epoch in range(EPOCHS):
    for x, y in DataLoader(text, batch_size=8):
        optimizer.zero_grad()
        criterion(model(x).flatten(0, 1), y.flatten()).backward()
        optimizer.step()
""",
    "a data set that shuffles itself": """
class Data(torch.utils.data.Dataset):
    def shuffle(self):
        self.order = torch.randperm(len(train_data)).tolist()

    def __len__(self):
        return len(train_data)

    def __getitem__(self, index):
        return train_data[self.order[index]]


data = Data()
loader = DataLoader(data, batch_size=8)
for epoch in range(EPOCHS):
    data.shuffle()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "a sampler of batches of one's own": """
class Batches:
    def __iter__(self):
        return iter(torch.randperm(len(train_data)).view(-1, 8).tolist())

    def __len__(self):
        return len(train_data) // 8


loader = DataLoader(train_data, batch_sampler=Batches())
for epoch in range(EPOCHS):
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
""",
    "REINFORCE": """
policy = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.6), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(60):
    log_probs = []
    for t in range(5):
        chosen = torch.distributions.Categorical(logits=policy(torch.randn(1, 4)))
        log_probs.append(chosen.log_prob(chosen.sample()))
    optimizer.zero_grad()
    loss = torch.cat([-each * torch.rand(1) for each in log_probs]).sum()
    loss.backward()
    optimizer.step()
""",
    "a wrapper around an optimizer": """
class Accelerated(torch.optim.Optimizer):
    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def state(self):
        return self.optimizer.state

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none=True):
        self.optimizer.zero_grad(set_to_none)

    def step(self, closure=None):
        self.optimizer.step(closure)


scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / 48)
wrapped = Accelerated(optimizer)
for epoch in range(EPOCHS):
    for x, y in train_loader:
        criterion(model(x), y).backward()
        wrapped.step()
        scheduler.step()
        wrapped.zero_grad()
    validate()
""",
    "an evaluation of the training data": """
for epoch in range(EPOCHS):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for x, y in train_loader:
            model(x)
        for x, y in val_loader:
            model(x)
""",
    "statistics of the data": """
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    for x, y in val_loader:
        x.mean()
""",
    "a scheduler of epochs that are counted until it is enough": """
EPOCHS = epochs = 0
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 50)
while epochs < 6:
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    scheduler.step()
    epochs += 1
""",
    "two loaders by turns": _STEP
    + """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))
for epoch in range(EPOCHS):
    for (u,), (x, y) in zip(other, train_loader):
        step(x, y)
        scheduler.step()
    validate()
""",
    "batches that are kept, and come again and again": _STEP
    + """
import itertools
it = itertools.cycle(train_loader)
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 48)
for i in range(48):
    step(*next(it))
    scheduler.step()
    if i % 12 == 11:
        validate()
""",
    "a sampler without an end": _STEP
    + """
endless = torch.utils.data.RandomSampler(train_data, replacement=True, num_samples=int(1e10))
loader = DataLoader(train_data, batch_size=8, sampler=endless)
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=60)
for i, (x, y) in enumerate(loader):
    step(x, y)
    scheduler.step()
    if i % 20 == 19:
        validate()
    if i == 59:
        break
""",
    "steps by turns with two loaders": _STEP
    + """
o2 = DataLoader(TensorDataset(torch.randn(120, 8), torch.randint(0, 3, (120,))), batch_size=8, shuffle=True)
scheduler = lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
for epoch in range(EPOCHS):
    it = iter(o2)
    for x, y in train_loader:
        step(x, y)
        step(*next(it))
    validate()
    scheduler.step()
""",
    "two iterators that are begun anew": _STEP
    + """
scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
a, b = iter(train_loader), iter(other)
for i in range(60):
    try:
        x, y = next(a)
    except StopIteration:
        a = iter(train_loader)
        x, y = next(a)
    try:
        u = next(b)
    except StopIteration:
        b = iter(other)
        u = next(b)
    step(x, y)
    if i % 15 == 14:
        scheduler.step(validate())
""",
    "epochs and validations that are left early": _STEP
    + """
scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=EPOCHS * 8)
for epoch in range(EPOCHS):
    for i, (x, y) in enumerate(train_loader):
        if i == 8:
            break
        step(x, y)
        scheduler.step()
    model.eval()
    with torch.no_grad():
        for j, (x, y) in enumerate(val_loader):
            if j == 2:
                break
            criterion(model(x), y)
    model.train()
""",
    "a few gradients of pictures": """
for step in range(6):
    picture = torch.randn(2, 8, requires_grad=True)
    model.zero_grad()
    model(picture)[0].max().backward()
""",
}
