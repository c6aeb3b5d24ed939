"""The face for people who query: `/query/`, whose screens are the scripts of app/frontend."""
