# ruff: noqa
# fmt: off
# As in many Chinese introductions: layer1, layer2, view(x.size(0), -1).
import torch
import torch.nn as nn
from torch.autograd import Variable

# 超参数
EPOCH = 5
BATCH_SIZE = 100
num_classes = 10


# 定义卷积神经网络
class CNN(nn.Module):
    """卷积神经网络"""
    def __init__(self):
        super(CNN, self).__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=5, padding=2),  # 卷积层
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2))                             # 池化层
        self.layer2 = nn.Sequential(
            nn.Conv2d(16, 32, kernel_size=5, padding=2),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2))
        self.fc = nn.Linear(7*7*32, num_classes)

    # 前向传播
    def forward(self, x):
        out = self.layer1(x)
        out = self.layer2(out)
        out = out.view(out.size(0), -1)  # 展平
        out = self.fc(out)
        return out


cnn = CNN()
if torch.cuda.is_available():
    cnn = cnn.cuda()

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(cnn.parameters(), lr=0.001)
for epoch in range(EPOCH):
    for i, (images, labels) in enumerate(train_loader):
        images = Variable(images)
        outputs = cnn(images)
        loss = criterion(outputs, labels)
