using Detection.Inference.Labels;
using Xunit;

namespace Detection.Inference.Tests.Labels;

/// <summary>
/// Pairs of number and name from the sources: COCO's and TensorFlow's label maps, the PASCAL VOC development kit, the annotations of Objects365 and
/// Open Images, the documentation of torchvision and Ultralytics. A missing or extra line would shift all names after it.
/// </summary>
public sealed class LabelSetsTests
{
    public static TheoryData<string, int, (int Number, string Name)[]> Known { get; } = new()
    {
        { "coco80", 80, [(0, "person"), (1, "bicycle"), (11, "stop sign"), (15, "cat"), (16, "dog"), (36, "skateboard"), (40, "wine glass"), (56, "chair"), (62, "tv"), (67, "cell phone"), (79, "toothbrush")] },
        { "coco90", 90, [(0, "person"), (11, "n/a"), (12, "stop sign"), (16, "cat"), (17, "dog"), (25, "n/a"), (40, "skateboard"), (44, "n/a"), (45, "wine glass"), (61, "chair"), (71, "tv"), (76, "cell phone"), (82, "n/a"), (89, "toothbrush")] },
        { "voc20", 20, [(0, "aeroplane"), (6, "car"), (7, "cat"), (11, "dog"), (14, "person"), (19, "tvmonitor")] },
        { "objects365", 365, [(0, "Person"), (1, "Sneakers"), (5, "Car"), (37, "Monitor/TV"), (46, "Bicycle"), (52, "Basket"), (92, "Dog"), (139, "Cat"), (250, "Mango"), (307, "Camel"), (364, "Table Tennis")] },
        { "openimages", 601, [(0, "Tortoise"), (1, "Container"), (21, "Bird"), (68, "Person"), (96, "Chair"), (121, "Cat"), (241, "Horse"), (600, "Helmet")] },
        { "openimages-alphabetical", 601, [(0, "Accordion"), (90, "Car"), (96, "Cat"), (160, "Dog"), (264, "Human face"), (381, "Person"), (568, "Vehicle registration plate"), (600, "Zucchini")] },
        { "imagenet1k", 1000, [(0, "tench"), (1, "goldfish"), (134, "crane (bird)"), (151, "Chihuahua"), (207, "golden retriever"), (264, "Cardigan"), (281, "tabby"), (340, "zebra"), (404, "airliner"), (474, "cardigan"), (517, "crane (machine)"), (654, "minibus"), (817, "sports car"), (954, "banana"), (999, "toilet tissue")] },
        { "dota15", 15, [(0, "plane"), (1, "ship"), (7, "harbor"), (9, "large vehicle"), (10, "small vehicle"), (14, "swimming pool")] },
        { "dota15-mmrotate", 15, [(0, "plane"), (4, "small vehicle"), (5, "large vehicle"), (6, "ship"), (12, "harbor"), (14, "helicopter")] },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Set_has_the_names_of_its_data_set(string set, int count, (int Number, string Name)[] names)
    {
        var labels = LabelSets.Find(set);

        Assert.NotNull(labels);
        Assert.Equal(count, labels.Count);
        Assert.All(names, known => Assert.Equal(known.Name, labels[known.Number]));
        Assert.All(labels, label => Assert.Equal(label.Trim(), label));
        string[] real = [.. labels.Where(label => label != "n/a")];
        Assert.Equal(real.Length, real.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_set_is_tested_and_documented()
    {
        Assert.Equal(Known.Select(row => row.Data.Item1).Order(StringComparer.Ordinal), LabelSets.Names);
        string document = File.ReadAllText(Path.Combine(Testing.Repository.Root, "docs", "models.md"));
        string sources = File.ReadAllText(Path.Combine(Testing.Repository.Root, "src", "Inference", "Labels", "README.md"));
        Assert.All(Known, row => Assert.Contains($"| `{row.Data.Item1}` | {row.Data.Item2} |", document, StringComparison.Ordinal));
        Assert.All(Known, row => Assert.Contains($"| `{row.Data.Item1}.txt` | {row.Data.Item2} |", sources, StringComparison.Ordinal));
    }

    [Fact]
    public void Coco_under_its_own_numbers_has_gaps_and_the_same_names()
    {
        var own = LabelSets.Find("coco90")!;

        Assert.Equal([12, 26, 29, 30, 45, 66, 68, 69, 71, 83], Enumerable.Range(1, 90).Where(number => own[number - 1] == "n/a"));
        Assert.Equal(LabelSets.Find("coco80"), own.Where(label => label != "n/a"));
    }

    [Fact]
    public void Sets_that_differ_in_order_alone_have_the_same_names()
    {
        Assert.Equal(LabelSets.Find("dota15")!.Order(StringComparer.Ordinal), LabelSets.Find("dota15-mmrotate")!.Order(StringComparer.Ordinal));
        Assert.Equal(LabelSets.Find("openimages-alphabetical")!.Order(StringComparer.Ordinal), LabelSets.Find("openimages-alphabetical"));
    }

    [Fact]
    public void WithCount_proposes_every_set_of_a_number_and_none_for_others()
    {
        Assert.Equal(["coco80"], LabelSets.WithCount(80));
        Assert.Equal(["dota15", "dota15-mmrotate"], LabelSets.WithCount(15));
        Assert.Empty(LabelSets.WithCount(79));
        Assert.Null(LabelSets.Find("coco"));
    }
}
