from hypothesis import settings
def test_x(): 
    print("PROFILE", settings.get_current_profile_name(), settings().max_examples)
