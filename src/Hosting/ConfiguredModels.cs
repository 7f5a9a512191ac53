using System.ComponentModel.DataAnnotations;
using Detection.Contracts.Messages;
using Detection.Contracts.Settings;
using Detection.Inference.Repository;

namespace Detection.Hosting;

/// <summary>Checks settings that name a model.</summary>
public static class ConfiguredModels
{
    /// <summary>
    /// Checks that the model that a setting names is in the folder of models. Nothing is checked when the setting has no value, or when the
    /// folder has no models yet.
    /// </summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="setting">Key of the setting that names a model.</param>
    /// <exception cref="ValidationException">The folder has only other models.</exception>
    public static void RequireModel(this IConfiguration configuration, string setting)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var folder = configuration.ReadValidated<ModelOptions>(ModelOptions.Section).Directory;
        var models = ModelRepository.FindNames(folder);
        if (configuration[setting] is { Length: > 0 } model && models.Count > 0 && !models.Contains(model.Split('@')[0]))
        {
            throw new ValidationException($"The setting '{setting}' is '{model}', but {Path.GetFullPath(folder)} has no model of this name. {NearestName.Proposal(model, models)}");
        }
    }
}
