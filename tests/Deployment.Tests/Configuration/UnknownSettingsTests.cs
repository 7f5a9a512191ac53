using Detection.Hosting.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Detection.Deployment.Tests.Configuration;

public sealed class UnknownSettingsTests
{
    [Theory]
    [InlineData("ConnectionStrings:reddis", "ConnectionStrings:redis")]
    [InlineData("ConnectionStrings:picture", "ConnectionStrings:pictures")]
    [InlineData("ConnectionString:redis", "ConnectionStrings:redis")]
    [InlineData("Detections:Queue:Capacity", "Detection:Queue:Capacity")]
    [InlineData("Detecton:Fetch:AllowedHosts:1", "Detection:Fetch:AllowedHosts:1")]
    public void A_misspelt_section_or_connection_string_is_refused_unless_the_right_one_is_set(string written, string meant)
    {
        var fault = Assert.Throws<OptionsValidationException>(() => Require((written, "x")));

        Assert.Equal([$"The setting '{written}' does not exist. Use '{meant}'."], fault.Failures);
        Require((written, "x"), (meant, "y"));
    }

    [Theory]
    [InlineData("ConnectionStrings:orders")]
    [InlineData("Detections")]
    [InlineData("Detections:Cameras")]
    [InlineData("Orders:Queue:Capacity")]
    [InlineData("Redis")]
    [InlineData("url")]
    public void A_setting_of_another_program_is_accepted(string other) => Require((other, "x"));

    private static void Require(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.ToDictionary(static setting => setting.Key, static setting => (string?)setting.Value))
        .Build()
        .RequireKnownSettings();
}
