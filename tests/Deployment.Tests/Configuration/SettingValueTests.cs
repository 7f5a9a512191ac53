using System.ComponentModel.DataAnnotations;
using Detection.Contracts.Settings;
using Detection.Inference.Devices;
using Detection.Inference.Repository;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Detection.Deployment.Tests.Configuration;

/// <summary>How values of settings are read, and the messages for values of another type or out of range.</summary>
public sealed class SettingValueTests
{
    private const string Section = "Detection:Trial";

    [Theory]
    [InlineData("4s", 4_000), InlineData("4 s", 4_000), InlineData("500ms", 500), InlineData("2m", 120_000), InlineData("2min", 120_000), InlineData("1h", 3_600_000)]
    [InlineData("7d", 604_800_000), InlineData("7 days", 604_800_000), InlineData("1 day", 86_400_000), InlineData("1.5s", 1_500), InlineData(" 4S ", 4_000)]
    [InlineData("0", 0), InlineData("0s", 0), InlineData("00:00:04", 4_000), InlineData("00:00:00.1", 100), InlineData("1.00:00:00", 86_400_000), InlineData("23:59", 86_340_000)]
    public void Duration_is_read_in_all_documented_forms(string text, double milliseconds)
    {
        Assert.Equal(milliseconds, Read(("Time", text)).Time.TotalMilliseconds);
    }

    [Theory]
    [InlineData("4"), InlineData("25:00:00"), InlineData("00:60:00"), InlineData("4 weeks"), InlineData("s"), InlineData("-4s"), InlineData("-00:00:04")]
    [InlineData("1e3s"), InlineData("4s 5ms"), InlineData("4  s"), InlineData("999999999999d"), InlineData("0,5s"), InlineData("1.2.3s")]
    public void Invalid_duration_is_refused_and_not_read_as_days(string text)
    {
        Assert.Equal(
            $"The setting 'Detection:Trial:Time' is '{text}'. Use a duration from 0 to 366 days, such as 4s, 500ms, 2m, 1h, 7d or 00:00:04.",
            Assert.Single(Assert.Throws<OptionsValidationException>(() => Read(("Time", text))).Failures));
    }

    [Theory]
    [InlineData("Count", "many", "is 'many'. Use a whole number from 1 to 9.")]
    [InlineData("Count", "10", "is '10'. Use a whole number from 1 to 9.")]
    [InlineData("Count", "1.5", "is '1.5'. Use a whole number from 1 to 9.")]
    [InlineData("Share", "0", "is '0'. Use a number above 0 and up to 1, with a decimal point.")]
    [InlineData("Share", "0,5", "is '0,5'. Use a number above 0 and up to 1, with a decimal point.")]
    [InlineData("Switch", "yes", "is 'yes'. Use true or false.")]
    [InlineData("Kind", "Third", "is 'Third'. Use First or Second.")]
    [InlineData("Kind", "7", "is '7'. Use First or Second.")]
    [InlineData("Numbers:1", "x", "is 'x'. Use a whole number.")]
    [InlineData("Parts:a:Number", "x", "is 'x'. Use a whole number from 0 to 5.")]
    [InlineData("Inner:Number", "6", "is '6'. Use a whole number from 0 to 5.")]
    [InlineData("Text", "", "is empty. Give it a value.")]
    [InlineData("Word", "a b", "has a space.")]
    public void Invalid_value_is_named_with_its_setting_and_the_valid_values(string setting, string value, string fault)
    {
        Assert.Equal(
            $"The setting 'Detection:Trial:{setting}' {fault}",
            Assert.Single(Assert.Throws<OptionsValidationException>(() => Read((setting, value))).Failures));

        using var services = new ServiceCollection()
            .AddSingleton(Configure((setting, value)))
            .AddValidatedOptions<TrialOptions>(Section).Services
            .BuildServiceProvider();
        Assert.Equal(
            $"The setting 'Detection:Trial:{setting}' {fault}",
            Assert.Single(Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<TrialOptions>>().Value).Failures));
    }

    [Fact]
    public void Empty_value_has_the_default_except_for_a_text()
    {
        var read = Read(("Time", ""), ("Count", ""), ("Switch", ""), ("Kind", ""), ("Word", ""), ("Maybe", ""));

        Assert.Equal((TimeSpan.FromSeconds(1), 5, true, TrialKind.Second, "", null), (read.Time, read.Count, read.Switch, read.Kind, read.Word, read.Maybe));
    }

    [Fact]
    public void Lists_names_and_parts_are_read_and_unknown_settings_are_ignored()
    {
        var read = Read(
            ("numbers:0", "3"), ("Numbers:1", "4"), ("Parts:camera-1:Number", "2"), ("Inner:Number", "1"), ("Maybe", "12"), ("Wait", "3s"), ("Cuont", "x"), ("kind", "first"));

        Assert.Equal([3, 4], read.Numbers);
        Assert.Equal(2, Assert.Single(read.Parts, static part => part.Key == "camera-1").Value.Number);
        Assert.Equal((1, 12, TimeSpan.FromSeconds(3), TrialKind.First), (read.Inner.Number, read.Maybe, read.Wait, read.Kind));
    }

    [Fact]
    public void All_wrong_settings_are_named_at_once()
    {
        var faults = Assert.Throws<OptionsValidationException>(() => Read(("Count", "0"), ("Share", "2"), ("Inner:Number", "9"))).Failures;

        Assert.Equal(3, faults.Count());
    }

    [Fact]
    public void Settings_of_devices_and_models_have_bounds()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Detection:CpuWorkers"] = "0",
            ["Detection:RunTimeout"] = "2h",
            ["Detection:Limits:MaxPixels"] = "0",
            ["Detection:Cuda:MaxBatch"] = "257",
            ["Detection:Cuda:MemoryLimitMiB"] = "-1",
            ["Detection:Cuda:VerifyTolerance"] = "0",
            ["Detection:Cuda:TensorRt"] = "true",
            ["Detection:Models:Directory"] = "",
            ["Detection:Models:Default"] = "a/b",
            ["Detection:Models:RescanInterval"] = "0",
            ["Detection:Models:SettleTime"] = "2m",
            ["Detection:Models:LoadTimeout"] = "0s",
        }).Build();

        var devices = Assert.Throws<OptionsValidationException>(() => configuration.ReadValidated(DeviceOptions.Section, new DeviceOptionsValidator())).Message;
        var models = Assert.Throws<OptionsValidationException>(() => configuration.ReadValidated<ModelOptions>(ModelOptions.Section)).Message;

        Assert.All(
            configuration.AsEnumerable().Where(static setting => setting.Value is not null).Select(static setting => setting.Key),
            key => Assert.Contains($"'{key}'", devices + models, StringComparison.Ordinal));
    }

    private static TrialOptions Read(params (string Key, string Value)[] settings) => Configure(settings).ReadValidated<TrialOptions>(Section);

    private static IConfiguration Configure(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create($"{Section}:{setting.Key}", (string?)setting.Value)))
        .Build();

    private enum TrialKind
    {
        First,
        Second,
    }

    private sealed class TrialOptions
    {
        [Range(typeof(TimeSpan), "00:00:00", "366.00:00:00")]
        public TimeSpan Time { get; set; } = TimeSpan.FromSeconds(1);

        [Range(1, 9)]
        public int Count { get; set; } = 5;

        [Range(0.0, 1.0, MinimumIsExclusive = true)]
        public double Share { get; set; } = 0.5;

        public bool Switch { get; set; } = true;

        public TrialKind Kind { get; set; } = TrialKind.Second;

        public int? Maybe { get; set; }

        public TimeSpan? Wait { get; set; }

        [Required]
        public string Text { get; set; } = "text";

        [RegularExpression(@"\S*", ErrorMessage = "The setting '{0}' has a space.")]
        public string Word { get; set; } = "word";

        public IList<int> Numbers { get; } = [];

        public Dictionary<string, TrialPart> Parts { get; } = [];

        [ValidateObjectMembers]
        public TrialPart Inner { get; set; } = new();
    }

    private sealed class TrialPart
    {
        [Range(0, 5)]
        public int Number { get; set; }
    }
}
