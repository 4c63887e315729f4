"""The networks of src/nn/models.def in PyTorch, under the same names of parameters."""
import sys

from torch import nn
from torch.nn import functional as F


def convolution(cin, cout, kernel, stride=1):
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)


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


def build(name, width, classes, size):
    resnets = {"resnet10": (Block, (1, 1, 1, 1)), "resnet18": (Block, (2, 2, 2, 2)),
               "resnet34": (Block, (3, 4, 6, 3)), "resnet50": (Bottleneck, (3, 4, 6, 3))}
    if name in resnets:
        return ResNet(*resnets[name], width, classes, size)
    if name == "convnet3":
        return ConvNet3(width, classes, size)
    sys.exit(f"no model is called {name}")
