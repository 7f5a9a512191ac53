using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Cluster;

public sealed class ModelDirectoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static TheoryData<string, string, ModelStanding?> Cases => new()
    {
        // Reports of live silos, with the health of the device.
        { "a: m@1", "m@1", ModelStanding.Serving },
        { "a: m@1", "m@2", null },
        { "a: m@1 broken", "m@1", ModelStanding.Broken },
        { "a: m@1 broken; b: m@1", "m@1", ModelStanding.Serving },
        { "a: m@1 broken; b: m@1 reloading", "m@1", ModelStanding.Serving },
        { "a: m@1 broken; b: m@1 broken", "m@1", ModelStanding.Broken },
        { "a: m@1 broken; b: m@1 starting", "m@1", ModelStanding.Serving },
        { "a: m@1 retired", "m@1", ModelStanding.Retired },
        { "a: m@1 retired; b: m@1", "m@1", ModelStanding.Serving },
        { "a: m@1 retired; b: m@1 broken", "m@1", ModelStanding.Broken },
        { "a: m@1 retired; b: m@1 retired", "m@1", ModelStanding.Retired },

        // Records: which silo served the version, and how many seconds ago.
        { "a: n@1; was m@1 a 1", "m@1", ModelStanding.Gone },
        { "a: n@1; was m@1 b 1", "m@1", ModelStanding.Away },
        { "a: n@1; was m@1 b 299", "m@1", ModelStanding.Away },
        { "a: n@1; was m@1 b 301", "m@1", ModelStanding.Gone },
        { "was m@1 a 20", "m@1", ModelStanding.Away },
        { "was m@1 a 4000", "m@1", ModelStanding.Away },
        { "a: m@2; was m@1 b 29", "m@1", ModelStanding.Away },
        { "a: m@2; was m@1 b 31", "m@1", ModelStanding.Gone },
        { "a: m@2 retired; was m@1 b 31", "m@1", ModelStanding.Away },
        { "a: m@1; was m@1 a 400", "m@1", ModelStanding.Serving },
        { "a: m@1 retired; was m@1 a 1", "m@1", ModelStanding.Retired },
        { "b: m@1; a: n@1; was m@1 a 1", "m@1", ModelStanding.Serving },
        { "a restarted: n@1; was m@1 a 1", "m@1", ModelStanding.Away },

        // A drained silo goes on to write what it served.
        { "a drained: m@1; was m@1 a 1", "m@1", ModelStanding.Away },
        { "a drained: m@1; b: n@1; was m@1 a 1", "m@1", ModelStanding.Away },
        { "a drained: m@1; b: m@1; was m@1 a 1", "m@1", ModelStanding.Serving },
        { "a drained: m@1; b: m@2; was m@1 a 1", "m@1", ModelStanding.Away },
    };

    public static TheoryData<string, string?> Names => new()
    {
        { "a: m@1", "m@1" },
        { "a: m@2, m@1 retired", "m@2" },
        { "a: m@1 retired; b: m@2", "m@2" },
        { "a: m@2; b: m@1 retired", "m@2" },
        { "a: m@1 retired", "m@1" },
        { "a: m@2; was m@1 a 1", "m@2" },
        { "a: m@2; was m@1 b 1", "m@2" },
        { "a: n@1; was m@1 a 9; was m@2 a 1", "m@2" },
        { "a: n@1; was m@2 a 1; was m@1 a 9", "m@2" },
        { "a: n@1; was m@1 b 9; was m@2 a 1", "m@1" },
        { "a: m@2 retired; was m@1 b 9", "m@1" },
        { "a: n@1", null },
        { "a drained: m@1; b: m@2; was m@1 a 1", "m@2" },
        { "b drained: m@1; a: m@2; was m@1 b 1", "m@2" },
        { "a drained: m@1; b: n@1; was m@1 a 1", "m@1" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Standing_of_a_version_follows_from_reports_and_records(string cluster, string model, ModelStanding? standing)
    {
        var directory = Read(cluster);
        Assert.Equal(standing, directory.Find(model)?.Standing);
        Assert.Equal(standing is ModelStanding.Gone, directory.Gone.Any(record => record.Model.Id == model));
        Assert.Equal(standing is ModelStanding.Serving or ModelStanding.Broken or ModelStanding.Away, directory.Find(model)?.Accepts == true);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Find_by_name_returns_the_version_that_serves_requests(string cluster, string? model) =>
        Assert.Equal(model, Read(cluster).Find("m")?.Model.Id);

    [Fact]
    public void Records_are_read_back_and_other_formats_are_ignored()
    {
        var record = new ModelRecord(Model("m@1"), "a", Now, Now.AddSeconds(1));
        var read = Assert.Single(ModelRecord.Read([new("m@1", record.Serialize()), new("m@2", "["), new("m@3", "null"), new("m@4", RedisValue.EmptyString)]));
        Assert.Equal((record.Silo, record.StartedAt, record.SeenAt, "m@1", "label"), (read.Silo, read.StartedAt, read.SeenAt, read.Model.Id, read.Model.Labels[0]));
    }

    /// <summary>A cluster in words: reports of silos, and records of earlier versions.</summary>
    private static ModelDirectory Read(string cluster)
    {
        var silos = new List<SiloReport>();
        var records = new List<ModelRecord>();
        foreach (var part in cluster.Split("; "))
        {
            if (part.StartsWith("was ", StringComparison.Ordinal))
            {
                var words = part.Split(' ');
                records.Add(new ModelRecord(Model(words[1]), words[2], Now.AddDays(-1), Now.AddSeconds(-int.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture))));
                continue;
            }

            var (name, models) = (part.Split(": ")[0], part.Split(": ")[1].Split(", "));
            silos.Add(new SiloReport(
                name.Split(' ')[0],
                "",
                name.Contains("restarted", StringComparison.Ordinal) ? Now.AddMinutes(-1) : Now.AddDays(-1),
                Now,
                [],
                [.. models.Select(model => Model(model.Split(' ')[0]))],
                [.. models.Where(model => !model.EndsWith("starting", StringComparison.Ordinal)).Select(model => Batcher(name, model))],
                [],
                RetiredModels: [.. models.Where(model => model.EndsWith("retired", StringComparison.Ordinal)).Select(model => model.Split(' ')[0])])
            {
                IsDrained = name.Contains("drained", StringComparison.Ordinal),
            });
        }

        return ModelDirectory.Of(silos, records, Now);
    }

    private static BatcherReport Batcher(string silo, string model) => new(silo, model.Split(' ')[0], BatcherState.Idle, 1, 0, 0, 0, 0, 0)
    {
        Health = model.EndsWith("broken", StringComparison.Ordinal) ? DeviceHealth.Broken
            : model.EndsWith("reloading", StringComparison.Ordinal) ? DeviceHealth.Reloading : DeviceHealth.Serving,
    };

    private static ModelInfo Model(string id) => new(id.Split('@')[0], id.Split('@')[1], "nanodet", 32, 32, ["label"], 0.1f, 0.4f, 0.5f);
}
