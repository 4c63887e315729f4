"""The networks of src/nn/models.def in PyTorch, under the same names of parameters."""
import sys

import torch
from torch import nn
from torch.nn import functional as F


def convolution(cin, cout, kernel, stride=1):
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)


def fixed_scale(width):
    """Batch norm of which only the shift is trained."""
    norm = nn.BatchNorm2d(width, eps=1e-12)
    norm.weight.requires_grad = False
    return norm


def projection(cin, cout, stride):
    """What a block adds to in place of its input, where the shapes differ."""
    if stride == 1 and cin == cout:
        return None
    return nn.Sequential(convolution(cin, cout, 1, stride), nn.BatchNorm2d(cout))


class Block(nn.Module):
    expansion = 1

    def __init__(self, cin, width, stride):
        super().__init__()
        self.conv1 = convolution(cin, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = projection(cin, width, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, cin, width, stride):
        super().__init__()
        cout = width * self.expansion
        self.conv1 = convolution(cin, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, cout, 1)
        self.bn3 = nn.BatchNorm2d(cout)
        self.downsample = projection(cin, cout, stride)

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, block, blocks, width, classes, size):
        super().__init__()
        self.large = size > 64
        self.conv1 = convolution(3, width, 7, 2) if self.large else convolution(3, width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        cin = width
        for stage, count in enumerate(blocks):
            layers = []
            for i in range(count):
                layers.append(block(cin, width << stage, 2 if stage and not i else 1))
                cin = (width << stage) * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.large:
            x = F.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class ConvNet3(nn.Module):
    def __init__(self, width, classes, size):
        super().__init__()
        for i in (1, 2, 3):
            setattr(self, f"conv{i}", nn.Conv2d(3 if i == 1 else width, width, 3, 1, 1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(width))
        self.fc = nn.Linear(width * (size // 2 // 2 // 2) ** 2, classes)

    def forward(self, x):
        for i in (1, 2, 3):
            x = F.avg_pool2d(F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))), 2)
        return self.fc(x.flatten(1))


class FastGroup(nn.Module):
    def __init__(self, cin, width):
        super().__init__()
        self.conv1 = convolution(cin, width, 3)
        self.norm1 = fixed_scale(width)
        self.conv2 = convolution(width, width, 3)
        self.norm2 = fixed_scale(width)
        for conv in (self.conv1, self.conv2):
            nn.init.dirac_(conv.weight.data[:conv.in_channels])

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class FastNet(nn.Module):
    """airbench94 (Jordan, arXiv 2404.00498): `widths` of its three groups."""

    def __init__(self, widths, classes, size, channels=3):
        super().__init__()
        patch = 4 * channels
        self.whiten = nn.Conv2d(channels, 2 * patch, 2)
        self.whiten.weight.requires_grad = False
        nn.init.zeros_(self.whiten.bias)
        for i, (cin, cout) in enumerate(zip((2 * patch, *widths), widths)):
            setattr(self, f"group{i + 1}", FastGroup(cin, cout))
        self.fc = nn.Linear(widths[-1], classes, bias=False)

    def forward(self, x):
        x = self.group3(self.group2(self.group1(F.gelu(self.whiten(x)))))
        return self.fc(F.max_pool2d(x, x.shape[2]).flatten(1)) / 9

    def whiten_from(self, images):
        """Let the first convolution whiten the 2 x 2 patches of normalised images [n,c,h,w]."""
        patches = F.unfold(images.double(), 2).transpose(1, 2).flatten(0, 1)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = vectors.T.flip(0) / (values.flip(0)[:, None] + 5e-4).sqrt()
        filters = filters.reshape(-1, *self.whiten.weight.shape[1:])
        self.whiten.weight.data.copy_(torch.cat((filters, -filters)))


def build(name, width, classes, size):
    resnets = {"resnet10": (Block, (1, 1, 1, 1)), "resnet18": (Block, (2, 2, 2, 2)),
               "resnet34": (Block, (3, 4, 6, 3)), "resnet50": (Bottleneck, (3, 4, 6, 3))}
    if name in resnets:
        return ResNet(*resnets[name], width, classes, size)
    if name == "convnet3":
        return ConvNet3(width, classes, size)
    if name == "fastnet":
        return FastNet((width, 4 * width, 4 * width), classes, size)
    if name == "fastnet-small":
        return FastNet((width, 2 * width, 2 * width), classes, size)
    sys.exit(f"no model is called {name}")
