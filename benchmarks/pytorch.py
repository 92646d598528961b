"""The recipes in PyTorch, eager: pictures resident as float32, channels last for the CNNs."""

import torch
from torch import nn

from benchmarks.contender import SEED, Laps, Work, compete

VALIDATION_BATCH = 1000


def mlp(pixels: int, third: list[nn.Module], outputs: int) -> nn.Sequential:
    """Build the MLP; the lecture on numbers leaves the third layer without an activation."""
    hidden = [nn.Linear(pixels, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256), *third]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(256, outputs))


def cnn(size: int, outputs: int) -> nn.Sequential:
    """Build the CNN for pictures of size x size."""
    side = ((size - 2) // 2 - 2) // 2
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * side * side, 256),
        nn.ReLU(),
        nn.Linear(256, outputs),
    )


def deep_cnn() -> nn.Sequential:
    """Build the deep CNN for MNIST."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(1024, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    )


MODELS = {
    "mnist_mlp": lambda: mlp(784, [nn.ReLU()], 10),
    "mnist_cnn": lambda: cnn(28, 10),
    "mnist_deep_cnn": deep_cnn,
    "dots_mlp": lambda: mlp(256, [], 1),
    "dots_cnn": lambda: cnn(16, 1),
}


def start_as_keras(module: nn.Module) -> None:
    """Draw the first weights as Keras does: Glorot uniform, and biases of zero."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def main(work: Work, laps: Laps) -> tuple[int, str]:
    """Train."""
    torch.manual_seed(SEED)
    # as TensorFlow and JAX do by themselves; it matters on a GPU alone
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    memory_format = torch.contiguous_format if work.recipe.endswith("mlp") else torch.channels_last
    target_type = torch.int64 if work.classification else torch.float32

    def load(split: str) -> tuple[torch.Tensor, torch.Tensor]:
        images, targets = work.load(split)
        x = torch.from_numpy(images).permute(0, 3, 1, 2).to(device, torch.float32, memory_format=memory_format) / 255
        return x, torch.from_numpy(targets).to(device, target_type)

    (x_train, y_train), (x_val, y_val) = load("train"), load("validation")
    model = MODELS[work.recipe]().apply(start_as_keras).to(device, memory_format=memory_format)
    if work.classification:
        loss_function = nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), work.learning_rate, fused=True)
    else:
        loss_function = nn.MSELoss()
        optimizer = torch.optim.Adam(model.parameters(), work.learning_rate, eps=1e-7, fused=True)

    laps.start()
    for _ in range(work.epochs):
        model.train()
        total = torch.zeros((), device=device)
        right = torch.zeros((), device=device, dtype=torch.int64)
        for batch in torch.randperm(len(x_train), device=device).split(work.batch_size):
            y = y_train[batch]
            prediction = model(x_train[batch])
            loss = loss_function(prediction if work.classification else prediction[:, 0], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            # the figures that Keras keeps for every epoch
            total += loss.detach() * len(batch)
            if work.classification:
                right += (prediction.argmax(1) == y).sum()
        # as Keras does, read what an epoch has come to
        total.item(), right.item()
        laps.end_epoch(validate(model, x_val, y_val, work.classification))
    return sum(weight.numel() for weight in model.parameters()), "gpu" if device.type == "cuda" else "cpu"


@torch.inference_mode()
def validate(model: nn.Module, x: torch.Tensor, y: torch.Tensor, classification: bool) -> float:
    """Return the accuracy, computing the loss too, or the mean squared error."""
    model.eval()
    predictions = torch.cat([model(batch) for batch in x.split(VALIDATION_BATCH)])
    if classification:
        nn.functional.cross_entropy(predictions, y).item()
        return (predictions.argmax(1) == y).float().mean().item()
    return nn.functional.mse_loss(predictions[:, 0], y).item()


if __name__ == "__main__":
    compete(main, "torch")
